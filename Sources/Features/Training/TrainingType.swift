import Catalog
import Engine
import FeatureKit
import Foundation
import JobKit
import Resource
import Storage
import Store
import Web

/// Trainings as a kind: how a request becomes a spec, and a resource its wire form.
struct TrainingType: ResourceType {
    let names = WireNames(kind: .training, singular: "training", collection: "trainings")
    let embeds: [ResourceKind] = [.experiment]
    let store: Store
    let checks: JobChecks
    let templates: JobTemplates
    let sources: ClockAndIDs
    let home: String
    let publicURL: @Sendable () -> String
    var catalog: Catalog { checks.catalog }
    var engine: any Engine { checks.engine }

    func draft(_ body: TrainingCreate, project: String) async throws -> Draft<TrainingSpec, TrainingStatus> {
        var validator = Validator()
        body.validate(&validator)
        try validator.check()
        let job = try await checks.spec(body.job, nodes: body.job.instanceCount?.value ?? 1, project: project)
        let spec = TrainingSpec(
            experimentID: try await checks.experiment(body.job, project: project), job: job,
            hyperparameters: body.hyperparameters,
            runName: JobSpec.folderName(body.name, unique: sources.newID()))
        return Draft(
            name: body.name, description: body.description, tags: body.tags, spec: spec, status: TrainingStatus())
    }

    func wire(_ trainings: [Training], project: String) async throws -> [TrainingWire] {
        let byID = try await JobWire.experiments(trainings.map(\.spec.experimentID), project: project, store: store)
        let now = sources.now()
        return trainings.map {
            TrainingWire($0, experiment: byID[$0.spec.experimentID], catalog: catalog, publicURL: publicURL(), now: now)
        }
    }

    func isVolatile(phase: String) -> Bool {
        [TrainingPhase.running, .stopInProgress, .completeInProgress, .failInProgress].map(\.rawValue).contains(phase)
    }

    func checkDelete(_ training: Training) async throws {
        guard training.status.phase.isSettled else {
            throw TakumiError(
                .conflict,
                "training \(training.id) is \(training.status.phase.displayName); stop it first, then delete it")
        }
    }

    /// Asks for an end. Asking again while it ends changes nothing.
    /// - Throws: `conflict` where there is nothing to stop.
    func stop(_ training: Training) async throws -> Training {
        if training.status.phase == .stopInProgress { return training }
        guard training.status.phase.isStoppable else {
            throw TakumiError(
                .conflict, "training \(training.id) is \(training.status.phase.displayName) and cannot be stopped")
        }
        var next = training
        next.status.phase = .stopInProgress
        next.status.cause = nil
        if let stored = try await store.updateStatus(next, event: "stop requested") { return stored }
        // The reconciler wrote in between: look again, it may have ended by itself.
        guard let current: Training = try await store.resource(training.key) else { throw Store.missing(training.key) }
        return try await stop(current)
    }

    func didDelete(_ training: Training, parts: [ResourceKey]) async throws {
        try await engine.removeEnded(training.workloadID)
        let logs = "\(home)/\(training.tensorBoardFolder)"
        try await BlockingWork.run { try FileTree.remove(logs) }
    }
}
