import Catalog
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
    let catalog: Catalog
    let sources: ClockAndIDs
    let home: String
    let region: String
    let apiURL: @Sendable () -> String

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
        guard let image = catalog.image(id: training.spec.job.imageID),
            let flavor = catalog.flavor(id: training.spec.job.flavorID)
        else {
            throw TakumiError(.failed, "the image or the instance type of this training is no longer offered")
        }
        let lock = try LockFile.place(image.lock, digest: image.digest, home: home)
        try await engine.launch(
            training.workload(
                in: JobEnvironment(image: image, flavor: flavor, lock: lock, region: region, apiURL: apiURL())))
    }

    private func fail(_ training: Training, _ cause: String) async throws {
        var next = training
        next.status.phase = .createFailed
        next.status.cause = cause
        next.status.endedAt = sources.now()
        _ = try await store.updateStatus(next, event: cause)
    }
}
