import Control
import Engine
import FeatureKit
import Foundation
import JobKit
import Resource
import Storage
import Store
import Telemetry

/// Performs what `NotebookPlan` decides.
struct NotebookReconciler: Reconciler {
    let kind = ResourceKind.notebook
    let store: Store
    let engine: any Engine
    let maker: NotebookMaker
    let probes: JupyterProbes
    let sources: ClockAndIDs
    let platform: Int
    let revokeTokens: @Sendable (_ notebook: String) async throws -> Void

    func reconcile(_ key: ResourceKey) async throws -> Duration? {
        guard let notebook: Notebook = try await store.resource(key) else { return nil }
        guard !notebook.status.phase.isSettled || notebook.status.phase.isActive else { return nil }
        let plan = NotebookPlan(notebook, await look(at: notebook), platform: platform, now: sources.now())
        var current = notebook
        for action in plan.actions {
            switch action {
            case .write(let status, let events):
                var next = current
                next.status = status
                _ = try current.status.phase.advanced(to: status.phase)
                // Before: what has settled is not looked at again.
                if status.phase.isSettled, !status.phase.isActive { try await revokeTokens(notebook.id) }
                // Someone else wrote meanwhile: that write has enqueued the key, and the next round sees it.
                guard let stored = try await write(next, events) else { return nil }
                current = stored
            case .launch:
                guard try await launch(current) else { return nil }
            case .stop(let run): await engine.stop(notebook.workloadID(of: run))
            case .wait(let duration): return duration
            case .delete:
                try await delete(current)
                return nil
            }
        }
        return nil
    }

    // MARK: - Looking

    private func look(at notebook: Notebook) async -> NotebookSight {
        let workload = notebook.workloadID
        var sight = NotebookSight(observation: await engine.observe(workload))
        guard let task = sight.task, let port = sight.observation?.ports.first?[NotebookVolume.port] ?? nil,
            !task.hasEnded
        else {
            if sight.task?.hasEnded == true {
                sight.lastLine =
                    LogReader(path: WorkloadFolder(home: maker.home, id: workload).task(0).log).lastPrinted
            }
            return sight
        }
        guard task.phase == .running, notebook.status.phase.isStarting || notebook.status.phase.isActive else {
            return sight
        }
        sight.report = maker.report(of: workload)
        // Nobody is there to answer before.
        if sight.report?.script == nil,
            let token = try? NotebookSecret.token(of: workload, home: maker.home)
        {
            let isStarting = notebook.status.phase.isStarting
            sight.health = await probes.health(
                of: workload, port: port, base: notebook.path, token: token,
                isStarting: isStarting || notebook.status.phase == .unhealthy)
            if !isStarting, notebook.spec.idleStop != nil {
                sight.isUseFresh = notebook.status.stopsAt.map { $0 <= sources.now() } ?? false
                sight.use = await probes.use(
                    of: workload, port: port, base: notebook.path, token: token, afresh: sight.isUseFresh)
            }
        }
        return sight
    }

    // MARK: - Doing

    private func write(_ notebook: Notebook, _ events: [String]) async throws -> Notebook? {
        var current = try await store.updateStatus(notebook, event: events.first)
        for event in events.dropFirst() {
            guard let written = current else { return nil }
            current = try await store.updateStatus(written, event: event)
        }
        return current
    }

    /// - Returns: false where it cannot be, which is written.
    private func launch(_ notebook: Notebook) async throws -> Bool {
        do {
            try await removeRuns(of: notebook) { $0 != notebook.workloadID }
            try await engine.launch(try await maker.workload(notebook))
            return true
        } catch let error where !(error is CancellationError) {
            try await revokeTokens(notebook.id)
            let phase = notebook.status.phase
            try await fail(notebook, phase.isActive ? .unhealthy : phase.failed, NotebookReconciler.text(error))
            return false
        }
    }

    private func delete(_ notebook: Notebook) async throws {
        let folder = "\(maker.home)/\(Notebook.folder(notebook.id))"
        do {
            try await revokeTokens(notebook.id)
            try await removeRuns(of: notebook) { _ in true }
            try await BlockingWork.run { try FileTree.remove(folder) }
        } catch let error where !(error is CancellationError) {
            return try await fail(
                notebook, .deleteFailed,
                "its storage could not be deleted: \(NotebookReconciler.text(error)); try again")
        }
        try await store.delete(notebook.key)
    }

    /// With their boot storage. Not only the last one: a start that was refused, or a server that died, leaves one behind.
    private func removeRuns(of notebook: Notebook, where isOver: (_ workload: String) -> Bool) async throws {
        let all = WorkloadFolder.ids(home: maker.home, beginningWith: notebook.workloadPrefix)
        for workload in all where isOver(workload) {
            probes.forget(workload)
            try await engine.removeEnded(workload)
        }
    }

    private func fail(_ notebook: Notebook, _ phase: NotebookPhase, _ cause: String) async throws {
        var next = notebook
        next.status.phase = phase
        next.status.cause = cause
        _ = try await store.updateStatus(next, event: cause)
    }

    private static func text(_ error: any Error) -> String { (error as? TakumiError)?.message ?? "\(error)" }
}
