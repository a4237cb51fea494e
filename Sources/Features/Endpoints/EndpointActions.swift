import Crypto
import FeatureKit
import Foundation
import Resource
import Store

/// What can be asked of an endpoint and its stages besides creating and deleting.
struct EndpointActions: Sendable {
    let store: Store
    let publisher: RoutePublisher
    let sources: ClockAndIDs

    struct Switch: Decodable, Sendable {
        var endpointStageId: String?
        var keepMinutes: WholeNumber?
    }

    /// Makes another stage the default (E-9): the gateway's table changes between two requests, and the former default
    /// goes once the requests on their way to it are answered, or is kept for a while to go back to.
    ///
    /// All of it is written at once: what a stage is protected by holds from the first request on, and nobody deletes it
    /// meanwhile.
    func makeDefault(_ endpoint: Endpoint, _ body: Switch) async throws -> Endpoint {
        var validator = Validator()
        validator.require(body.endpointStageId != nil, "endpointStageId", "is required")
        validator.range(body.keepMinutes?.value, "keepMinutes", 0...10_080)
        try validator.check()
        var stage = try await stage(body.endpointStageId ?? "", of: endpoint, field: "endpointStageId")
        guard stage.id != endpoint.spec.defaultStageID else {
            throw TakumiError(
                .conflict, "'\(stage.metadata.name)' is the default stage already", field: "endpointStageId")
        }
        guard stage.status.phase == .active else {
            throw TakumiError(
                .conflict,
                "stage '\(stage.metadata.name)' is \(stage.status.phase.displayName); only an ACTIVE one can become the default",
                field: "endpointStageId")
        }
        var batch = Batch()
        if var former: Stage = try await store.resource(ResourceKey(.stage, endpoint.spec.defaultStageID)) {
            stage.spec.takeProtection(of: former.spec)
            // What it shared with others was meant for the default: the new one has rules of its own.
            (former.spec.canary, former.spec.shadow) = (nil, nil)
            former.metadata.generation += 1
            try batch.update(former)
        }
        stage.metadata.generation += 1
        try batch.update(stage)
        var next = endpoint
        next.spec.makeDefault(
            stage.id, keepFormerUntil: sources.now().addingTimeInterval(Double(60 * (body.keepMinutes?.value ?? 0))))
        next.metadata.generation += 1
        try batch.update(next, event: "stage '\(stage.metadata.name)' becomes the default")
        guard try await store.apply(batch, mayUseReserve: false) else {
            return try await makeDefault(try await unchanged(endpoint), body)
        }
        try await publisher.publish()
        return try await store.resource(endpoint.key) ?? next
    }

    /// The endpoint as it is now: states change at any time, which is no reason to refuse.
    /// - Throws: `conflict` where someone else has switched meanwhile.
    private func unchanged(_ endpoint: Endpoint) async throws -> Endpoint {
        guard let current: Endpoint = try await store.resource(endpoint.key),
            current.spec.defaultStageID == endpoint.spec.defaultStageID
        else {
            throw TakumiError(
                .conflict, "the default stage of endpoint '\(endpoint.metadata.name)' was changed meanwhile; try again")
        }
        return current
    }

    /// Back to the stage that was the default before the last switch.
    func goBack(_ endpoint: Endpoint) async throws -> Endpoint {
        guard let former = endpoint.spec.formers.last else {
            throw TakumiError(
                .conflict, "endpoint '\(endpoint.metadata.name)' keeps no former default stage to go back to")
        }
        return try await makeDefault(endpoint, Switch(endpointStageId: former.stageID))
    }

    private func stage(_ id: String, of endpoint: Endpoint, field: String) async throws -> Stage {
        let record = try await store.record(
            ResourceKey(.stage, id.lowercased()), project: endpoint.metadata.project)
        guard let stage: Stage = try record?.decoded(), stage.spec.endpointID == endpoint.id else {
            throw TakumiError.invalid(
                field, "endpoint '\(endpoint.metadata.name)' has no stage with the id '\(id.excerpt)'")
        }
        return stage
    }

    // MARK: - Stages

    /// Has the gateway told of a stage anew (E-5); the stage's reconciler does it.
    func deploy(_ stage: Stage) async throws -> Stage {
        guard stage.status.phase.isDeployable else {
            throw TakumiError(
                .conflict,
                "stage '\(stage.metadata.name)' is \(stage.status.phase.displayName); only one that is ACTIVE or DEPLOY FAILED can be deployed again"
            )
        }
        var next = stage
        (next.status.phase, next.status.cause) = (.deployInProgress, nil)
        if let stored = try await store.updateStatus(next, event: "deployment requested") { return stored }
        guard let current: Stage = try await store.resource(stage.key) else { throw Store.missing(stage.key) }
        return try await deploy(current)
    }

    struct TrafficRules: Decodable, Sendable {
        var canaryStageId: String?
        var canaryPercent: WholeNumber?
        var shadowStageId: String?
        var shadowPercent: WholeNumber?
        var ratePerSecond: WholeNumber?
    }

    /// Sets where a stage's requests go besides itself, and how many there may be; what is not given is taken away.
    func setTraffic(_ stage: Stage, _ body: TrafficRules) async throws {
        guard let endpoint: Endpoint = try await store.resource(ResourceKey(.endpoint, stage.spec.endpointID)) else {
            throw Store.missing(stage.key)
        }
        var validator = Validator()
        validator.range(body.canaryPercent?.value, "canaryPercent", 0...100)
        validator.range(body.shadowPercent?.value, "shadowPercent", 0...100)
        validator.range(body.ratePerSecond?.value, "ratePerSecond", 1...1_000_000)
        try validator.check()
        let canary = try await share(
            body.canaryStageId, body.canaryPercent?.value, of: stage, endpoint, "canaryStageId", "canaryPercent")
        let shadow = try await share(
            body.shadowStageId, body.shadowPercent?.value, of: stage, endpoint, "shadowStageId", "shadowPercent")
        let conditions = [(canary, "canaryStageId"), (shadow, "shadowStageId")].compactMap { share, field in
            share.map { Condition.stays(ResourceKey(.stage, $0.stageID), field: field) }
        }
        try await store.updateSpec(stage.key, of: Stage.self, conditions: conditions) { spec in
            (spec.canary, spec.shadow, spec.ratePerSecond) = (canary, shadow, body.ratePerSecond?.value)
        }
        try await publisher.publish()
    }

    private func share(
        _ id: String?, _ percent: Int?, of stage: Stage, _ endpoint: Endpoint, _ field: String, _ percentField: String
    ) async throws -> StageSpec.Share? {
        guard let id else {
            guard percent ?? 0 == 0 else { throw TakumiError.invalid(field, "is required with \(percentField)") }
            return nil
        }
        guard let percent else { throw TakumiError.invalid(percentField, "is required with \(field)") }
        let other = try await self.stage(id, of: endpoint, field: field)
        guard other.id != stage.id else { throw TakumiError.invalid(field, "is the stage itself; name another") }
        guard other.status.phase == .active else {
            throw TakumiError(
                .conflict,
                "stage '\(other.metadata.name)' is \(other.status.phase.displayName); wait until it is ACTIVE",
                field: field)
        }
        return percent == 0 ? nil : .init(stageID: other.id, percent: percent)
    }

    /// Makes a key that clients of the stage must show from now on, beside those that there are.
    /// - Returns: the key, which is not kept and cannot be shown again.
    func addKey(_ stage: Stage) async throws -> String {
        guard stage.spec.keys.count < 10 else {
            throw TakumiError(.conflict, "stage '\(stage.metadata.name)' has 10 API keys; remove them first")
        }
        let key =
            "tk_"
            + SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        let hash = SHA256.hash(data: Data(key.utf8)).map { String(format: "%02x", $0) }.joined()
        try await store.updateSpec(stage.key, of: Stage.self) { $0.keys.append(hash) }
        try await publisher.publish()
        return key
    }

    /// Lets everybody in again.
    func removeKeys(_ stage: Stage) async throws {
        try await store.updateSpec(stage.key, of: Stage.self) { $0.keys = [] }
        try await publisher.publish()
    }
}
