import Catalog
import Engine
import FeatureKit
import Foundation
import Resource
import Store
import Support
import Synchronization
import Testing

@testable import NotebooksFeature

/// What becomes of a notebook where something that was planned does not work.
@Suite struct NotebookReconcilerTests {
    private let home: TemporaryFolder
    private let store: Store
    private let engine = FakeEngine()
    private let tokens = Tokens()

    /// Of the API, by notebook.
    private final class Tokens: Sendable {
        let failure = Mutex<SystemError?>(nil)
        let valid = Mutex<Set<String>>([])

        func issue(_ notebook: Notebook) throws -> String {
            valid.withLock { _ = $0.insert(notebook.id) }
            if let failure = failure.withLock(\.self) { throw failure }
            return "tk_1"
        }
    }

    init() throws {
        home = try TemporaryFolder()
        store = try Store(path: nil)
    }

    private func reconciler() throws -> NotebookReconciler {
        let tokens = tokens
        return NotebookReconciler(
            store: store, engine: engine,
            maker: NotebookMaker(
                catalog: try Catalog(), home: home.path, region: "kr1", apiURL: { "http://127.0.0.1" },
                issueToken: { try tokens.issue($0) }),
            probes: JupyterProbes(get: { _, _, _ in (500, Data()) }), sources: ClockAndIDs(), platform: 1,
            revokeTokens: { id in tokens.valid.withLock { _ = $0.remove(id) } })
    }

    private func insert(_ phase: NotebookPhase, run: Int = 1) async throws -> Notebook {
        let catalog = try Catalog()
        let image = try #require(catalog.images.first { $0.name.lowercased().contains("python") })
        let flavor = try #require(catalog.flavors.first)
        var notebook = Notebook(
            metadata: Metadata(
                key: ResourceKey(.notebook, "n-1"), project: "default", name: "mine", createdAt: Date()),
            spec: NotebookSpec(
                imageID: image.id, flavorID: flavor.id, bootStorageSize: 20, dataStorageSize: 10, nas: []),
            status: NotebookStatus())
        notebook.status.phase = phase
        notebook.status.run = run
        try await store.insert(notebook)
        return notebook
    }

    /// - Returns: the notebook as it is stored after that many rounds; nil where it is gone.
    private func reconcile(_ notebook: Notebook, rounds: Int = 1) async throws -> Notebook? {
        let reconciler = try reconciler()
        for _ in 0..<rounds { _ = try await reconciler.reconcile(notebook.key) }
        return try await store.resource(notebook.key)
    }

    /// A run that has ended and was not removed.
    private func leave(_ workload: String) async throws {
        var task = TaskState(agentPID: 1, startedAt: Date())
        (task.phase, task.outcome) = (.ended, .stopped)
        await engine.set(workload, Observation(tasks: [task]))
        try FileManager.default.createDirectory(
            atPath: WorkloadFolder(home: home.path, id: workload).path, withIntermediateDirectories: true)
    }

    /// Notebooks whose tokens are valid.
    private var owners: Set<String> { tokens.valid.withLock(\.self) }

    @Test func aRunThatCannotBeRemovedFailsTheDeletionOnce() async throws {
        let notebook = try await insert(.deleteInProgress)
        try await leave(notebook.workloadID)
        await engine.failRemovals(with: SystemError("delete a folder", number: EIO))
        let failed = try #require(try await reconcile(notebook, rounds: 3))
        #expect(failed.status.phase == .deleteFailed)
        #expect(
            failed.status.cause
                == "its storage could not be deleted: delete a folder: Input/output error; try again")
        #expect(try await store.events(of: notebook.key).map(\.message).filter { $0.contains("deleted") }.count == 1)
        #expect(await engine.observe(notebook.workloadID) != nil)

        await engine.failRemovals(with: nil)
        _ = try await store.move(failed, to: .deleteInProgress, event: "deletion requested")
        #expect(try await reconcile(notebook) == nil)
        #expect(await engine.observe(notebook.workloadID) == nil)
    }

    /// As where a start was refused, or the server died between two writes.
    @Test func deletionRemovesEveryRun() async throws {
        let notebook = try await insert(.deleteInProgress, run: 7)
        for run in [2, 5, 7] { try await leave(notebook.workloadID(of: run)) }
        try await leave("notebook-other-1")
        #expect(try await reconcile(notebook) == nil)
        #expect(await engine.activeIDs() == ["notebook-other-1"])
    }

    @Test func aStartRemovesEveryFormerRunFirst() async throws {
        let notebook = try await insert(.startInProgress, run: 7)
        for run in [2, 5] { try await leave(notebook.workloadID(of: run)) }
        _ = try await reconcile(notebook)
        #expect(await engine.activeIDs() == [notebook.workloadID])
        #expect(await engine.launched.map(\.id) == [notebook.workloadID])
    }

    /// As on a full disk. The token of the API goes with the start.
    @Test(arguments: [
        (NotebookPhase.createRequested, NotebookPhase.createFailed), (.startInProgress, .startFailed),
        (.rebootInProgress, .rebootFailed),
    ])
    func aLaunchThatTheSystemRefusesFailsTheStart(phase: NotebookPhase, failed: NotebookPhase) async throws {
        let notebook = try await insert(phase)
        tokens.failure.withLock { $0 = SystemError("write a file", number: ENOSPC) }
        let stored = try #require(try await reconcile(notebook, rounds: 3))
        #expect(stored.status.phase == failed)
        #expect(stored.status.cause == "write a file: No space left on device")
        #expect(owners.isEmpty)
    }

    @Test func aStartThatFailsEndsItsToken() async throws {
        let notebook = try await insert(.createRequested)
        _ = try await reconcile(notebook)
        #expect(owners == [notebook.id])
        try await leave(notebook.workloadID)
        #expect(try await reconcile(notebook)?.status.phase == .createFailed)
        #expect(owners.isEmpty)
    }
}
