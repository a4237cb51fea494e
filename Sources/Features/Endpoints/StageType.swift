import Catalog
import FeatureKit
import Foundation
import Resource
import ServingKit
import Store
import Web

/// The body of `POST /endpoint-stages`.
struct StageCreate: Decodable, Sendable {
    private struct Own: Decodable {
        var endpointId: String?
        var apigwStageName: String?
        var endpointStageName: String?
        var description: String?
        var tagList: [WireTag]?
    }

    private let own: Own
    let stage: StageBody

    init(from decoder: any Decoder) throws {
        own = try Own(from: decoder)
        stage = try StageBody(from: decoder)
    }

    var endpointID: String { (own.endpointId ?? "").lowercased() }
    var name: String { own.apigwStageName ?? own.endpointStageName ?? "" }
    var description: String? { own.description }
    var tags: [Tag] { (own.tagList ?? []).map(\.tag) }

    func validate(_ validator: inout Validator) {
        validator.require(!endpointID.isEmpty, "endpointId", "is required; GET /endpoints lists them")
        validator.name(own.apigwStageName ?? own.endpointStageName, "apigwStageName")
        validator.require(![".", ".."].contains(name), "apigwStageName", "'\(name)' cannot be a part of an address")
        validator.length(description, "description", limit: Limits.description)
        validator.tags(tags)
        stage.validate(&validator)
    }
}

/// Stages as a kind.
struct StageType: ResourceType {
    let names = WireNames(kind: .stage, singular: "endpointStage", collection: "endpoint-stages")
    let embeds: [ResourceKind] = [.endpoint, .stageResource, .model]
    let store: Store
    let checks: StageChecks
    let resources: StageResourceType
    let sources: ClockAndIDs
    let platform: PlatformVersion
    let region: String
    let home: String
    /// `host:port` of the gateway.
    let gatewayAddress: @Sendable () -> String
    /// The endpoint's state changes with that of its stages.
    let wake: @Sendable (ResourceKey) -> Void

    /// Checks a stage completely.
    func checked(_ body: StageBody, project: String) async throws -> CheckedStage {
        let flavor = try checks.flavor(body.flavorId)
        let resources = try await checks.resources(
            body.resources, flavor: flavor, nodes: body.nodes, project: project,
            prefix: { "endpointModelResourceList[\($0)]." })
        try checks.check(
            resources, beside: [], flavor: flavor, nodes: body.autoscaler?.maxNodes ?? body.nodes,
            field: "endpointModelResourceList")
        return CheckedStage(body: body, flavorID: flavor.id, resources: resources, newID: sources.newID)
    }

    func draft(_ body: StageCreate, project: String) async throws -> Draft<StageSpec, StageStatus> {
        var validator = Validator()
        body.validate(&validator)
        try validator.check()
        let key = ResourceKey(.endpoint, body.endpointID)
        guard try await store.record(key, project: project) != nil else {
            throw TakumiError.invalid(
                "endpointId", "no endpoint has the id '\(key.id.excerpt)'; GET /endpoints lists them")
        }
        let checked = try await checked(body.stage, project: project)
        return Draft(
            name: body.name, description: body.description, tags: body.tags,
            spec: checked.spec(endpoint: key.id, name: body.name),
            status: StageStatus(platform: platform.version),
            parts: { stage, batch in
                batch.require(.stays(key, field: "endpointId"))
                batch.require(isFree(body.name, for: stage, field: "apigwStageName"))
                try checked.addResources(of: stage, to: &batch)
            })
    }

    func condition(ofRenaming stage: Stage, to name: String) -> Condition? {
        isFree(name, for: stage, field: names.nameField)
    }

    /// That no other stage of the endpoint has this name, or had it: one that was renamed still has the address of its former
    /// name.
    private func isFree(_ name: String, for stage: Stage, field: String) -> Condition {
        var query = Query(.stage, project: stage.metadata.project)
        query.referring = ResourceKey(.endpoint, stage.spec.endpointID)
        return Condition(query) { records in
            let others: [Stage] = try records.map { try $0.decoded() }.filter { $0.id != stage.id }
            guard others.contains(where: { $0.metadata.name == name || $0.spec.path == name }) else { return }
            throw TakumiError(
                .conflict, "the endpoint has a stage '\(name.excerpt)'; choose another name", field: field)
        }
    }

    func wire(_ stages: [Stage], project: String) async throws -> [StageWire] {
        let endpoints = try await store.resources(
            stages.map { ResourceKey(.endpoint, $0.spec.endpointID) }, as: Endpoint.self)
        var query = Query(.stageResource, project: project)
        query.referringAny = stages.map(\.key)
        query.order = .oldest
        let found: [StageResource] = try await store.records(query).map { try $0.decoded() }
        let byStage = Dictionary(grouping: try await resources.wire(found, project: project), by: \.endpointStageId)
        return stages.compactMap { stage in
            guard let endpoint = endpoints[stage.spec.endpointID] else { return nil }
            return StageWire(
                stage, of: endpoint, resources: byStage[stage.id] ?? [],
                flavor: checks.catalog.flavor(id: stage.spec.flavorID), gateway: gatewayAddress(),
                expiry: platform.expiry(
                    of: stage.status.platform, isRunning: stage.status.phase != .deleteInProgress))
        }
    }

    func checkDelete(_ stage: Stage) async throws {
        guard let endpoint: Endpoint = try await store.resource(ResourceKey(.endpoint, stage.spec.endpointID)) else {
            return
        }
        guard endpoint.spec.defaultStageID != stage.id else {
            throw TakumiError(
                .conflict,
                "'\(stage.metadata.name)' is the default stage of endpoint '\(endpoint.metadata.name)'; make another stage the default, or delete the endpoint"
            )
        }
    }

    func startDeletion(_ stage: Stage) async throws -> Bool {
        if try await !store.move(stage, to: .deleteInProgress, event: "deletion requested") {
            try await store.hurry(stage)
        } else {
            wake(ResourceKey(.endpoint, stage.spec.endpointID))
        }
        return true
    }
}

extension Store {
    /// A stage that was going already, in favour of another one, no longer waits for long answers.
    func hurry(_ stage: Stage) async throws {
        while var current: Stage = try await resource(stage.key), current.status.isReplaced == true {
            current.status.isReplaced = nil
            if try await updateStatus(current, event: nil) != nil { return }
        }
    }
}

extension Condition {
    /// That an endpoint or a stage is there and not about to go.
    static func stays(_ key: ResourceKey, field: String) -> Condition {
        var query = Query(key.kind, project: nil)
        query.ids = [key.id]
        return Condition(query) { records in
            guard let record = records.first else { throw Store.missing(key) }
            // Both kinds call it alike.
            guard record.phase == StagePhase.deleteInProgress.rawValue else { return }
            throw TakumiError(.conflict, "'\(record.metadata.name)' is being deleted; choose another one", field: field)
        }
    }
}

/// A stage that has passed every check, with what it is to serve.
struct CheckedStage: Sendable {
    let body: StageBody
    let flavorID: String
    let resources: [StageChecks.Checked]
    let newID: @Sendable () -> String

    func spec(endpoint: String, name: String) -> StageSpec {
        StageSpec(
            endpointID: endpoint, path: name, flavorID: flavorID, nodeCount: body.nodes, autoscaler: body.autoscaler,
            usesLog: body.useLog ?? false)
    }

    func addResources(of stage: Stage, to batch: inout Batch) throws {
        for resource in resources {
            try batch.insert(
                StageResource(
                    resource, stage: stage.id, endpoint: stage.spec.endpointID, project: stage.metadata.project,
                    id: newID(), now: stage.metadata.createdAt), event: "requested")
        }
    }
}

extension StageResource {
    init(
        _ checked: StageChecks.Checked, stage: String, endpoint: String, project: String, id: String, now: Date
    ) {
        self.init(
            metadata: Metadata(
                key: ResourceKey(.stageResource, id), project: project, name: checked.model.name,
                description: checked.body.description ?? "", createdAt: now),
            spec: StageResourceSpec(
                endpointID: endpoint, stageID: stage, modelID: checked.model.id, path: checked.model.name,
                allotment: checked.allotment, pods: checked.body.pods, autoscaler: checked.body.autoscaler,
                idleMinutes: checked.body.idleMinutes?.value),
            status: StageResourceStatus())
    }
}
