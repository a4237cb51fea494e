import Control
import Engine
import FeatureKit
import Foundation
import JobKit
import Resource
import Store

/// Performs what `Training.plan` decides.
struct TrainingReconciler: Reconciler {
    let kind = ResourceKind.training
    let store: Store
    let engine: any Engine
    let environments: JobEnvironments
    let sources: ClockAndIDs

    func reconcile(_ key: ResourceKey) async throws -> Duration? {
        guard let training: Training = try await store.resource(key), !training.status.phase.isSettled else {
            return nil
        }
        var again: Duration?
        for action in training.plan(await engine.observe(training.workloadID)) {
            switch action {
            case .launch:
                do {
                    try await launch(training)
                } catch let error as TakumiError {
                    try await fail(training, error.message)
                    return nil
                }
            case .stop:
                await engine.stop(training.workloadID)
            case .write(let status, let event):
                var next = training
                next.status = status
                _ = try training.status.phase.advanced(to: status.phase)
                // Someone else wrote meanwhile: that write has enqueued the key, and the next round sees it.
                _ = try await store.updateStatus(next, event: event)
            case .wait(let duration):
                again = duration
            }
        }
        return again
    }

    private func launch(_ training: Training) async throws {
        let environment = try environments.environment(of: training.spec.job, named: "training")
        try await engine.launch(training.workload(in: environment))
    }

    private func fail(_ training: Training, _ cause: String) async throws {
        var next = training
        next.status.phase = .createFailed
        next.status.cause = cause
        next.status.endedAt = sources.now()
        _ = try await store.updateStatus(next, event: cause)
    }
}
