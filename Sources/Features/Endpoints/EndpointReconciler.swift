import Control
import FeatureKit
import Foundation
import Resource
import Store

/// Follows the states of an endpoint's stages, and lets go of those that were the default before.
struct EndpointReconciler: Reconciler {
    let kind = ResourceKind.endpoint
    let store: Store
    let publisher: RoutePublisher
    let sources: ClockAndIDs

    func reconcile(_ key: ResourceKey) async throws -> Duration? {
        guard let endpoint: Endpoint = try await store.resource(key) else { return nil }
        let stages = try await stages(of: endpoint)
        if endpoint.status.phase == .deleteInProgress {
            guard !stages.isEmpty else {
                try await store.delete(key)
                try await publisher.publish()
                return nil
            }
            for stage in stages {
                _ = try await store.move(stage, to: .deleteInProgress, event: "its endpoint is being deleted")
                try await store.hurry(stage)
            }
            return .seconds(5)
        }
        guard try await letFormersGo(endpoint, stages) else { return .zero }
        let next = endpoint.status(stages: stages)
        if next != endpoint.status {
            var changed = endpoint
            changed.status = next
            _ = try endpoint.status.phase.advanced(to: next.phase)
            let event = next.phase == endpoint.status.phase ? nil : next.cause ?? EndpointReconciler.line(next.phase)
            _ = try await store.updateStatus(changed, event: event)
        }
        return endpoint.spec.formers.map(\.keptUntil).filter { $0 > sources.now() }.min().map { end in
            .milliseconds(Int(end.timeIntervalSince(sources.now()) * 1000) + 1)
        }
    }

    func stages(of endpoint: Endpoint) async throws -> [Stage] {
        var query = Query(.stage, project: endpoint.metadata.project)
        query.referring = endpoint.key
        return try await store.records(query).map { try $0.decoded() }
    }

    /// Those whose time is over are deleted, in one transaction with forgetting them: none becomes the default meanwhile.
    /// - Returns: false where someone else has written meanwhile, and where there is more to do then.
    private func letFormersGo(_ endpoint: Endpoint, _ stages: [Stage]) async throws -> Bool {
        let now = sources.now()
        let over = Set(endpoint.spec.formers.filter { $0.keptUntil <= now }.map(\.stageID))
        guard !over.isEmpty else { return true }
        // A table with the new default is out before the old one's pods are let go.
        try await publisher.publish()
        var batch = Batch()
        for var stage in stages where over.contains(stage.id) && stage.status.phase != .deleteInProgress {
            stage.status.phase = .deleteInProgress
            stage.status.cause = nil
            stage.status.isReplaced = true
            try batch.update(stage, event: "another stage has become the default")
        }
        var next = endpoint
        next.spec.formers.removeAll { over.contains($0.stageID) }
        try batch.update(next)
        _ = try await store.apply(batch)
        return false
    }

    private static func line(_ phase: EndpointPhase) -> String {
        switch phase {
        case .createRequested, .createInProgress: "its stage is being created"
        case .updateInProgress: "a stage is being worked on"
        case .active: "answers requests"
        case .deleteInProgress: "is being deleted"
        case .createFailed, .updateFailed: "failed"
        }
    }
}
