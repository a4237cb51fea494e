import Catalog
import FeatureKit
import Foundation
import Resource
import ServingKit
import Store
import Web

/// The body of `POST /endpoints`: the endpoint, its default stage and what that serves.
struct EndpointCreate: Decodable, Sendable {
    private struct Own: Decodable {
        var endpointName: String?
        var stageName: String?
        var description: String?
        var tagList: [WireTag]?
    }

    private let own: Own
    let stage: StageBody

    init(from decoder: any Decoder) throws {
        own = try Own(from: decoder)
        stage = try StageBody(from: decoder)
    }

    var name: String { own.endpointName ?? "" }
    var stageName: String { own.stageName ?? "default" }
    var description: String? { own.description }
    var tags: [Tag] { (own.tagList ?? []).map(\.tag) }

    func validate(_ validator: inout Validator) {
        validator.name(own.endpointName, "endpointName")
        if own.stageName != nil { validator.name(own.stageName, "stageName") }
        validator.require(
            ![".", ".."].contains(name), "endpointName", "'\(name)' cannot be a part of an address")
        validator.length(description, "description", limit: Limits.description)
        validator.tags(tags)
        stage.validate(&validator)
    }
}

/// Endpoints as a kind.
struct EndpointType: ResourceType {
    let names = WireNames(kind: .endpoint, singular: "endpoint", collection: "endpoints")
    let hasUniqueNames = true
    let embeds: [ResourceKind] = [.stage, .stageResource, .model]
    let store: Store
    let checks: StageChecks
    let stages: StageType
    let sources: ClockAndIDs

    func draft(_ body: EndpointCreate, project: String) async throws -> Draft<EndpointSpec, EndpointStatus> {
        var validator = Validator()
        body.validate(&validator)
        try validator.check()
        let stageID = sources.newID()
        let stages = stages
        let path = try await path(body.name, project: project, unique: stageID)
        let checked = try await stages.checked(body.stage, project: project)
        return Draft(
            name: body.name, description: body.description, tags: body.tags,
            spec: EndpointSpec(path: path, defaultStageID: stageID), status: EndpointStatus(),
            parts: { endpoint, batch in
                let stage = Stage(
                    metadata: Metadata(
                        key: ResourceKey(.stage, stageID), project: project, name: body.stageName,
                        createdAt: endpoint.metadata.createdAt),
                    spec: checked.spec(endpoint: endpoint.id, name: body.stageName),
                    status: StageStatus(platform: stages.platform.version))
                try batch.insert(stage, event: "requested")
                try checked.addResources(of: stage, to: &batch)
            })
    }

    /// The name, unless an endpoint that was renamed still has that address.
    private func path(_ name: String, project: String, unique: String) async throws -> String {
        let all: [Endpoint] = try await store.records(Query(.endpoint, project: project)).map { try $0.decoded() }
        return all.contains { $0.spec.path == name } ? "\(name)-\(unique.prefix(8))" : name
    }

    func wire(_ endpoints: [Endpoint], project: String) async throws -> [EndpointWire] {
        var query = Query(.stage, project: project)
        query.referringAny = endpoints.map(\.key)
        let found: [Stage] = try await store.records(query).map { try $0.decoded() }
        let byEndpoint = Dictionary(grouping: try await stages.wire(found, project: project), by: \.endpointId)
        return endpoints.map { EndpointWire($0, stages: byEndpoint[$0.id] ?? [], region: stages.region) }
    }

    func checkDelete(_ endpoint: Endpoint) async throws {
        var query = Query(.stage, project: endpoint.metadata.project)
        query.referring = endpoint.key
        let others = try await store.records(query).filter { $0.key.id != endpoint.spec.defaultStageID }
        // Stages that were the default and are only kept to go back to go with the endpoint.
        let formers = Set(endpoint.spec.formers.map(\.stageID))
        let blocking = others.filter {
            !formers.contains($0.key.id) && $0.phase != StagePhase.deleteInProgress.rawValue
        }
        guard blocking.isEmpty else {
            throw TakumiError(
                .conflict,
                "endpoint '\(endpoint.metadata.name)' has other stages than the default one (\(blocking.map(\.metadata.name).joined(separator: ", "))); delete these first"
            )
        }
    }

    func startDeletion(_ endpoint: Endpoint) async throws -> Bool {
        _ = try await store.move(endpoint, to: .deleteInProgress, event: "deletion requested")
        return true
    }
}

/// An endpoint as the vendor's SDK reads it.
struct EndpointWire: Encodable, Sendable {
    struct Former: Encodable, Sendable {
        var endpointStageId: String
        var keptUntilDatetime: String
    }

    var endpointId: String
    var endpointName: String
    var endpointStatusCode: String
    var statusReason: String?
    var description: String
    var appKey: String
    var createdDatetime: String
    var apigwAppKey: String
    var apigwRegion: String
    var apigwServiceId: String
    var apigwStatusCode: String
    var apigwStageUrl: String?
    var defaultStageId: String
    /// Stages that were the default before; the first is what going back leads to.
    var formerStageList: [Former]
    /// As of its stages: false where one of them was created by an older version of the platform.
    var isClusterLatest: Bool
    var expiredDatetime: String?
    var endpointStageList: [StageWire]
    var tagList: [WireTag]

    init(_ endpoint: Endpoint, stages: [StageWire], region: String) {
        let metadata = endpoint.metadata
        endpointId = endpoint.id
        endpointName = metadata.name
        endpointStatusCode = endpoint.status.phase.rawValue
        statusReason = endpoint.status.cause
        description = metadata.description
        appKey = metadata.project
        createdDatetime = WireJSON.time(metadata.createdAt)
        apigwAppKey = metadata.project
        apigwRegion = region
        apigwServiceId = endpoint.id
        apigwStatusCode = endpoint.status.gateway.rawValue
        apigwStageUrl = stages.first { $0.isDefaultStage }?.apigwStageUrl
        defaultStageId = endpoint.spec.defaultStageID
        formerStageList = endpoint.spec.formers.reversed().map {
            Former(endpointStageId: $0.stageID, keptUntilDatetime: WireJSON.time($0.keptUntil))
        }
        isClusterLatest = stages.allSatisfy(\.isClusterLatest)
        expiredDatetime = stages.compactMap(\.expiredDatetime).min()
        endpointStageList = stages
        tagList = metadata.tags.map(WireTag.init)
    }
}
