import Control
import FeatureKit
import Foundation
import Resource
import Store

/// Follows the states of an endpoint's stages, and lets go of the stage that was the default before.
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
            }
            return .seconds(5)
        }
        let again = try await letFormerGo(endpoint, stages)
        let next = endpoint.status(stages: stages)
        if next != endpoint.status {
            var changed = endpoint
            changed.status = next
            _ = try endpoint.status.phase.advanced(to: next.phase)
            let event = next.phase == endpoint.status.phase ? nil : next.cause ?? EndpointReconciler.line(next.phase)
            _ = try await store.updateStatus(changed, event: event)
        }
        return again
    }

    func stages(of endpoint: Endpoint) async throws -> [Stage] {
        var query = Query(.stage, project: endpoint.metadata.project)
        query.referring = endpoint.key
        return try await store.records(query).map { try $0.decoded() }
    }

    private func letFormerGo(_ endpoint: Endpoint, _ stages: [Stage]) async throws -> Duration? {
        guard let former = endpoint.spec.former else { return nil }
        let rest = former.keptUntil.timeIntervalSince(sources.now())
        if rest > 0 { return .milliseconds(Int(rest * 1000) + 1) }
        // A table with the new default is out before the old one's pods are let go.
        try await publisher.publish()
        if let stage = stages.first(where: { $0.id == former.stageID }), stage.id != endpoint.spec.defaultStageID {
            _ = try await store.move(stage, to: .deleteInProgress, event: "another stage has become the default")
        }
        try await store.updateSpec(endpoint.key, of: Endpoint.self) { spec in
            if spec.former == former { spec.former = nil }
        }
        return nil
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
