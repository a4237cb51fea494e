import Catalog
import FeatureKit
import Foundation
import Identity
import JobKit
import Resource
import Store

/// What can be asked of a notebook besides creating and deleting (N-8).
struct NotebookActions: Sendable {
    let store: Store
    let checks: JobChecks

    struct Resize: Decodable, Sendable {
        var flavorId: String?
    }

    /// - Throws: `conflict` where it cannot be stopped.
    func stop(_ notebook: Notebook) async throws -> Notebook {
        try await change(notebook, to: .stopInProgress, "stopped", event: "stop requested") { _ in }
    }

    /// Starts one that has stopped, or whose creation or start failed.
    /// - Parameter principal: whose rights its programs have from then on.
    func start(_ notebook: Notebook, by principal: Principal?) async throws -> Notebook {
        try await change(notebook, to: .startInProgress, "started", event: "start requested") {
            ($0.isEnding, $0.owner) = (true, principal?.userID)
        }
    }

    func reboot(_ notebook: Notebook, by principal: Principal?) async throws -> Notebook {
        try await change(notebook, to: .rebootInProgress, "rebooted", event: "reboot requested") {
            ($0.isEnding, $0.owner) = (true, principal?.userID)
        }
    }

    private func change(
        _ notebook: Notebook, to phase: NotebookPhase, _ verb: String, event: String,
        _ change: (inout NotebookStatus) -> Void
    ) async throws -> Notebook {
        var current = notebook
        while true {
            // Asking again changes nothing.
            if current.status.phase == phase { return current }
            guard current.status.phase.next.contains(phase) else {
                throw TakumiError(
                    .conflict,
                    "notebook '\(current.metadata.name)' is \(current.status.phase.displayName) and cannot be \(verb)")
            }
            var next = current
            next.status.phase = phase
            next.status.cause = nil
            (next.status.failures, next.status.retryAt) = (0, nil)
            change(&next.status)
            if let stored = try await store.updateStatus(next, event: event) { return stored }
            guard let again: Notebook = try await store.resource(notebook.key) else {
                throw Store.missing(notebook.key)
            }
            current = again
        }
    }

    /// Another instance type, of the same core type, while it is stopped.
    func resize(_ notebook: Notebook, _ body: Resize) async throws -> Notebook {
        var validator = Validator()
        validator.require(body.flavorId != nil, "flavorId", "is required; GET /flavors lists them")
        try validator.check()
        guard let image = checks.catalog.image(id: notebook.spec.imageID) else {
            throw TakumiError(.failed, "the image of this notebook is no longer offered")
        }
        let flavor = try checks.flavor(body.flavorId, fitting: image)
        guard notebook.status.phase.isResizable else {
            throw TakumiError(
                .conflict,
                "notebook '\(notebook.metadata.name)' is \(notebook.status.phase.displayName); stop it first, then change its instance type",
                field: "flavorId")
        }
        try await checks.engine.check([NotebookType.resources(of: flavor)])
        return try await store.updateSpec(of: notebook, event: "instance type is now \(flavor.name)") {
            $0.flavorID = flavor.id
        }
    }

    func setIdleStop(_ notebook: Notebook, _ body: NotebookIdleStop) async throws -> Notebook {
        var validator = Validator()
        body.validate(&validator)
        try validator.check()
        let rule = body.rule
        let event = rule.map { "stops after \($0.minutes) minutes without use" } ?? "does not stop by itself any longer"
        var current = notebook
        while true {
            do {
                return try await store.updateSpec(of: current, event: event) { $0.idleStop = rule }
            } catch let error as TakumiError where error.code == .conflict {
                // Only its state has changed.
                guard let again: Notebook = try await store.resource(notebook.key) else { throw error }
                current = again
            }
        }
    }
}
