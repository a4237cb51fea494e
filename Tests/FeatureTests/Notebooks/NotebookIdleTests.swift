import Engine
import Foundation
import Resource
import Synchronization
import Testing

@testable import NotebooksFeature

/// When a notebook that nobody uses is stopped.
@Suite struct NotebookIdleTests {
    private func use(busy: Int = 0, connections: Int = 0, last: Date? = nil) throws -> NotebookUse {
        let time = last.map { ",\"last_activity\":\"\($0.formatted(.iso8601))\"" } ?? ""
        let kernels = (0..<max(1, busy)).map {
            "{\"execution_state\":\"\($0 < busy ? "busy" : "idle")\",\"connections\":\($0 == 0 ? connections : 0)\(time)}"
        }
        return try NotebookUse(
            kernels: Data("[\(kernels.joined(separator: ","))]".utf8), terminals: Data("[]".utf8),
            status: Data("{}".utf8))
    }

    @Test func withoutARuleItNeverStops() throws {
        var world = NotebookWorld.active()
        world.sight.use = try use()
        world.turn(after: 1_000_000)
        #expect(world.phase == .healthy && world.notebook.status.stopsAt == nil)
    }

    @Test func stopsWhenItWasNotUsedForSoLong() throws {
        var world = NotebookWorld.active(idleStop: .init(minutes: 30, ignoresConnections: false))
        let activity = world.now.addingTimeInterval(60)
        world.sight.use = try use(last: activity)
        world.turn(after: 120)
        #expect(world.notebook.status.stopsAt == activity.addingTimeInterval(1800))
        world.turn(after: 1800 - 61)
        #expect(world.phase == .healthy)
        world.turn(after: 2)
        #expect(world.phase == .stopInProgress && world.cause == "not used for 30 minutes")
        world.turn()
        #expect(world.stopped == [1])
        world.end(.stopped)
        world.turn(after: 1)
        #expect(world.phase == .stopped && world.cause == "not used for 30 minutes")
        #expect(
            world.events == ["stopped by itself: not used for 30 minutes", "stopped: not used for 30 minutes"])
        #expect(world.notebook.status.stopsAt == nil)
    }

    @Test func theTimeBeginsWhenItIsThere() throws {
        var world = NotebookWorld.active(idleStop: .init(minutes: 5, ignoresConnections: false))
        let activeAt = try #require(world.notebook.status.activeAt)
        // Of a kernel that a former run had, or of none.
        world.sight.use = try use(last: activeAt.addingTimeInterval(-3600))
        world.turn(after: 10)
        #expect(world.notebook.status.stopsAt == activeAt.addingTimeInterval(300))
        world.turn(after: 300)
        #expect(world.phase == .stopInProgress)
    }

    @Test func aBusyKernelIsUseWhateverTheRule() throws {
        for ignores in [false, true] {
            var world = NotebookWorld.active(idleStop: .init(minutes: 5, ignoresConnections: ignores))
            world.sight.use = try use(busy: 2, last: world.now)
            world.turn(after: 10_000)
            #expect(world.phase == .healthy && world.notebook.status.stopsAt == nil)
            #expect(world.notebook.status.inUse == "2 kernels are busy")
        }
    }

    @Test func anOpenBrowserIsUseUnlessItIsIgnored() throws {
        var world = NotebookWorld.active(idleStop: .init(minutes: 5, ignoresConnections: false))
        world.sight.use = try use(connections: 1, last: world.now)
        world.turn(after: 10_000)
        #expect(world.phase == .healthy && world.notebook.status.inUse == "a browser is connected")
        world.notebook.spec.idleStop?.ignoresConnections = true
        world.turn(after: 5)
        world.turn()
        #expect(world.phase == .stopInProgress)
    }

    /// A cell that began after the last answer, which may be twenty seconds old.
    @Test func anAnswerOfBeforeDoesNotStopIt() throws {
        var world = NotebookWorld.active(idleStop: .init(minutes: 5, ignoresConnections: true))
        world.sight.use = try use(last: world.now)
        world.turn(after: 1000)
        #expect(world.phase == .healthy && world.notebook.status.stopsAt != nil, "it is asked once more")
        world.sight.use = try use(busy: 1, last: world.now)
        world.turn()
        #expect(world.phase == .healthy && world.notebook.status.inUse == "a kernel is busy")
    }

    @Test func onlyWhatWouldBeStoppedIsAskedAfresh() async throws {
        let questions = Mutex(0)
        let probes = JupyterProbes(get: { _, path, _ in
            if path.contains("kernels") { questions.withLock { $0 += 1 } }
            return (200, Data((path.contains("status") ? "{}" : "[]").utf8))
        })
        for (afresh, asked) in [(false, 1), (false, 1), (true, 2), (false, 2)] {
            _ = await probes.use(of: "w", port: 1, base: "/", token: "t", afresh: afresh)
            #expect(questions.withLock(\.self) == asked)
        }
    }

    @Test func whereItDoesNotSayItIsNotStopped() {
        var world = NotebookWorld.active(idleStop: .init(minutes: 5, ignoresConnections: false))
        world.turn(after: 10_000)
        #expect(world.phase == .healthy)
    }

    @Test func takingTheRuleAwayTakesTheEndAway() throws {
        var world = NotebookWorld.active(idleStop: .init(minutes: 5, ignoresConnections: false))
        world.sight.use = try use(last: world.now)
        world.turn(after: 5)
        #expect(world.notebook.status.stopsAt != nil)
        world.notebook.spec.idleStop = nil
        world.turn(after: 5)
        #expect(world.notebook.status.stopsAt == nil && world.notebook.status.idleSince == nil)
    }

    // MARK: - What Jupyter says

    @Test func useIsReadFromJupytersAnswers() throws {
        let kernels = """
            [{"execution_state": "idle", "last_activity": "2026-01-31T14:05:09.123456Z", "connections": 2},
             {"execution_state": "starting", "last_activity": "2026-01-31T14:06:09Z", "connections": 0},
             {"execution_state": "dead", "last_activity": "2026-01-31T14:00:00.5Z"}]
            """
        let terminals = #"[{"name": "1", "last_activity": "2026-01-31T15:00:00.000001Z"}]"#
        let status = #"{"connections": 2, "last_activity": "2026-01-31T16:00:00Z"}"#
        let use = try NotebookUse(
            kernels: Data(kernels.utf8), terminals: Data(terminals.utf8), status: Data(status.utf8))
        #expect(use.busyKernels == 0, "one that nobody has connected to starts for ever")
        #expect(use.connections == 2)
        #expect(use.lastActivity == (try Date("2026-01-31T15:00:00Z", strategy: .iso8601)))
        #expect(
            use.since(ignoringConnections: false) == (try Date("2026-01-31T16:00:00Z", strategy: .iso8601)),
            "a browser that edits a file uses no kernel")
        #expect(use.since(ignoringConnections: true) == use.lastActivity, "a forgotten tab asks, too")
        #expect(throws: (any Error).self) {
            try NotebookUse(kernels: Data("{}".utf8), terminals: Data("[]".utf8), status: Data("{}".utf8))
        }
    }
}
