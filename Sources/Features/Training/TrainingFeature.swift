import Catalog
import Control
import Engine
import FeatureKit
import Hummingbird
import Resource
import Store
import Telemetry
import Web

/// Trainings: their routes, their logs, their reconciler.
package struct TrainingFeature: Feature {
    private let store: Store
    private let reconciler: TrainingReconciler
    private let routes: ResourceRoutes<TrainingType>
    private let logs: TrainingLogs

    package init(
        store: Store, engine: any Engine, catalog: Catalog, storage: any StorageChecks, sources: ClockAndIDs,
        home: String,
        region: String, apiURL: @escaping @Sendable () -> String, publicURL: @escaping @Sendable () -> String,
        createExperiment: @escaping @Sendable (String, String?, String) async throws -> String
    ) {
        self.store = store
        reconciler = TrainingReconciler(
            store: store, engine: engine, catalog: catalog, sources: sources, home: home, region: region,
            apiURL: apiURL)
        routes = ResourceRoutes(
            TrainingType(
                store: store, engine: engine, catalog: catalog, storage: storage, sources: sources, home: home,
                publicURL: publicURL, createExperiment: createExperiment),
            store: store, sources: sources)
        logs = TrainingLogs(store: store, home: home)
    }

    /// Below the home; nil for another kind's record.
    package static func tensorBoardFolder(_ record: Record) throws -> String? {
        guard record.key.kind == .training else { return nil }
        let training: Training = try record.decoded()
        return training.tensorBoardFolder
    }

    package var reconcilers: [any Reconciler] { [reconciler] }

    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) {
        routes.add(to: group)
        group.group("trainings/{id}")
            .put("stop") { _, context in try await stop(try await routes.resource(context)) }
            .get("logs") { request, context in
                try logs.respond(to: QueryItems(request), try await routes.resource(context))
            }
            .get("metrics") { _, context in
                try logs.metrics(of: try await routes.resource(context))
            }
    }

    private func stop(_ training: Training) async throws -> Response {
        if training.status.phase == .stopInProgress { return try await routes.respond(training) }
        guard training.status.phase.isStoppable else {
            throw TakumiError(
                .conflict, "training \(training.id) is \(training.status.phase.displayName) and cannot be stopped")
        }
        var next = training
        next.status.phase = .stopInProgress
        next.status.cause = nil
        guard let stored = try await store.updateStatus(next, event: "stop requested") else {
            // The reconciler wrote in between: look again, it may have ended by itself.
            guard let current: Training = try await store.resource(training.key) else {
                throw Store.missing(training.key)
            }
            return try await stop(current)
        }
        return try await routes.respond(stored)
    }

    package var api: APIDescription {
        let fields: [APIDescription.Field] = [
            .init("trainingName", required: true), .init("description"),
            .init("experimentId", note: "or experimentName"),
            .init("experimentName"), .init("experimentDescription"), .init("imageId", required: true),
            .init("flavorId", required: true), .init("instanceCount", "integer", note: "1 to 10"),
            .init("sourceDirUri", required: true), .init("entryPoint", required: true), .init("algorithmId"),
            .init("hyperparameterList", "object[]"), .init("datasetList", "object[]"), .init("checkPointInputUri"),
            .init("checkPointUploadUri"), .init("modelUploadUri", required: true),
            .init("trainingTypeCode", note: "NORMAL"),
            .init("timeoutMinutes", "integer", note: "60 to 43200"), .init("useLog", "boolean"),
            .init("useTorchrun", "boolean"), .init("nprocPerNode", "integer"),
            .init("dataStorageSize", "integer", note: "300 to 10000 GB"), .init("tagList", "object[]"),
        ]
        return .resource(routes.type.names, create: fields, filters: [.init("experimentId")])
            + APIDescription([
                .init("PUT", "/trainings/{id}/stop", "Stop a running training", payload: "training"),
                .init(
                    "GET", "/trainings/{id}/logs", "The output of a node, as text or followed as NDJSON",
                    query: [
                        .init("node", "integer"), .init("tail", "integer"), .init("offset", "integer"),
                        .init("follow", "boolean"),
                    ]),
                .init("GET", "/trainings/{id}/metrics", "Resource samples by node", payload: "metrics"),
            ])
    }
}
