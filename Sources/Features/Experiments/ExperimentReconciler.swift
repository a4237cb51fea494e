import Control
import Foundation
import Resource
import Store

/// Makes the folder in which an experiment's TensorBoard logs meet.
struct ExperimentReconciler: Reconciler {
    let kind = ResourceKind.experiment
    let store: Store
    let home: String

    func reconcile(_ key: ResourceKey) async throws -> Duration? {
        guard var experiment: Experiment = try await store.resource(key) else { return nil }
        switch experiment.status.phase {
        case .createRequested:
            experiment.status.phase = .createInProgress
            experiment.status.cause = nil
            _ = try await store.updateStatus(experiment)
        case .createInProgress:
            let folder = ExperimentReconciler.folder(home: home, experiment)
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                experiment.status.phase = .active
                _ = try await store.updateStatus(experiment, event: "ready")
            } catch {
                experiment.status.phase = .createFailed
                experiment.status.cause =
                    "its folder could not be made: \(error.localizedDescription); free the disk and retry"
                _ = try await store.updateStatus(experiment, event: experiment.status.cause)
            }
        case .createFailed, .active:
            break
        }
        return nil
    }

    static func folder(home: String, _ experiment: Experiment) -> String {
        "\(home)/\(ExperimentsFeature.tensorBoardFolder(experiment.metadata))"
    }
}
