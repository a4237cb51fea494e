import Catalog
import FeatureKit
import Foundation
import Resource
import ServingKit
import Store
import Web

/// The body of `POST /endpoint-models`.
struct StageResourceCreate: Decodable, Sendable {
    private struct Own: Decodable { var endpointStageId: String? }

    let stageID: String
    let resource: StageResourceBody

    init(from decoder: any Decoder) throws {
        stageID = (try Own(from: decoder).endpointStageId ?? "").lowercased()
        resource = try StageResourceBody(from: decoder)
    }
}

/// Resources of stages as a kind.
struct StageResourceType: ResourceType {
    let names = WireNames(kind: .stageResource, singular: "endpointModel", collection: "endpoint-models")
    let embeds: [ResourceKind] = [.stage, .endpoint, .model]
    let store: Store
    let checks: StageChecks
    let gatewayAddress: @Sendable () -> String

    func draft(_ body: StageResourceCreate, project: String) async throws
        -> Draft<StageResourceSpec, StageResourceStatus>
    {
        var validator = Validator()
        validator.require(
            !body.stageID.isEmpty, "endpointStageId", "is required; GET /endpoint-stages lists them")
        body.resource.validate(&validator, "")
        try validator.check()
        let key = ResourceKey(.stage, body.stageID)
        guard let record = try await store.record(key, project: project) else {
            throw TakumiError.invalid(
                "endpointStageId", "no stage has the id '\(key.id.excerpt)'; GET /endpoint-stages lists them")
        }
        let stage: Stage = try record.decoded()
        let flavor = try checks.flavor(stage.spec.flavorID)
        let nodes = stage.spec.autoscaler?.maxNodes ?? stage.spec.nodeCount
        let checked = try await checks.resources(
            [body.resource], flavor: flavor, nodes: nodes, project: project, prefix: { _ in "" })
        let resource = StageResource(
            checked[0], stage: stage.id, endpoint: stage.spec.endpointID, project: project, id: "", now: .distantPast)
        return Draft(
            name: resource.metadata.name, description: body.resource.description, tags: [], spec: resource.spec,
            status: resource.status,
            parts: { _, batch in
                batch.require(.stays(key, field: "endpointStageId"))
                batch.require(hasRoom(for: checked, on: stage, flavor, nodes))
            })
    }

    private func hasRoom(for new: [StageChecks.Checked], on stage: Stage, _ flavor: Flavor, _ nodes: Int) -> Condition {
        var query = Query(.stageResource, project: stage.metadata.project)
        query.referring = stage.key
        return Condition(query) { records in
            let there: [StageResource] = try records.map { try $0.decoded() }.filter {
                $0.status.phase != .deleteInProgress && $0.status.phase != .createFailed
            }
            guard there.count < StageBody.mostResources else {
                throw TakumiError.invalid(
                    "endpointStageId",
                    "stage '\(stage.metadata.name)' has \(there.count) resources, the most there can be")
            }
            try checks.check(new, beside: there, flavor: flavor, nodes: nodes, field: "resourceOptionDetail")
        }
    }

    func wire(_ resources: [StageResource], project: String) async throws -> [StageResourceWire] {
        let models = try await store.records(resources.map { ResourceKey(.model, $0.spec.modelID) })
        let wires = try models.mapValues { JSONText(text: String(decoding: try checks.served($0).wire, as: UTF8.self)) }
        let stages = try await store.resources(
            resources.map { ResourceKey(.stage, $0.spec.stageID) }, as: Stage.self)
        let endpoints = try await store.resources(
            resources.map { ResourceKey(.endpoint, $0.spec.endpointID) }, as: Endpoint.self)
        return resources.map { resource in
            var place: StageResourceWire.At?
            if let stage = stages[resource.spec.stageID], let endpoint = endpoints[resource.spec.endpointID] {
                place = .init(
                    stageId: stage.id, deployStatus: GatewayPhase(stage.status.phase).rawValue,
                    stageUrl: gatewayAddress() + endpoint.shownAddress(of: stage).pathEscapedParts)
            }
            return StageResourceWire(resource, model: wires[resource.spec.modelID] ?? nil, stage: place)
        }
    }

    func startDeletion(_ resource: StageResource) async throws -> Bool {
        _ = try await store.move(resource, to: .deleteInProgress, event: "deletion requested")
        return true
    }
}
