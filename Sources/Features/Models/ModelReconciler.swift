import Control
import Foundation
import Resource
import Store

/// A model is a record of where files lie: there is nothing to make but its state.
struct ModelReconciler: Reconciler {
    let kind = ResourceKind.model
    let store: Store

    func reconcile(_ key: ResourceKey) async throws -> Duration? {
        guard var model: Model = try await store.resource(key) else { return nil }
        switch model.status.phase {
        case .createRequested:
            model.status.phase = .createInProgress
            _ = try await store.updateStatus(model)
        case .createInProgress:
            model.status.phase = .active
            _ = try await store.updateStatus(model, event: "ready")
        case .active, .createFailed, .deleteInProgress, .deleteFailed:
            break
        }
        return nil
    }
}
