import Engine
import Foundation
import Resource
import Testing

@testable import NotebooksFeature

/// A notebook whose JupyterLab does what a test lets it: time passes by hand.
struct NotebookWorld {
    var notebook: Notebook
    var sight = NotebookSight()
    var now = Date(timeIntervalSince1970: 1_000_000)
    private(set) var launched: [Int] = []
    private(set) var stopped: [Int] = []
    private(set) var events: [String] = []
    private(set) var isGone = false
    /// Of the last turn.
    private(set) var wait: Duration?

    init(phase: NotebookPhase = .createRequested, idleStop: NotebookSpec.IdleStop? = nil) {
        notebook = Notebook(
            metadata: Metadata(key: ResourceKey(.notebook, "n"), project: "default", name: "mine", createdAt: now),
            spec: NotebookSpec(
                imageID: "i", flavorID: "f", bootStorageSize: 20, dataStorageSize: 10, nas: [], idleStop: idleStop),
            status: NotebookStatus())
        notebook.status.phase = phase
    }

    /// One that has become ACTIVE (HEALTHY), its events left out.
    static func active(idleStop: NotebookSpec.IdleStop? = nil) -> NotebookWorld {
        var world = NotebookWorld(idleStop: idleStop)
        world.turn()
        world.run()
        world.sight.health = .healthy
        world.turn(after: 2)
        world.events = []
        return world
    }

    var phase: NotebookPhase { notebook.status.phase }
    var cause: String? { notebook.status.cause }

    /// One turn of the reconciler: looks, plans, does.
    mutating func turn(after seconds: Double = 0) {
        now = now.addingTimeInterval(seconds)
        wait = nil
        // As the reconciler asks.
        sight.isUseFresh = notebook.status.stopsAt.map { $0 <= now } ?? false
        let plan = NotebookPlan(notebook, sight, platform: 1, now: now)
        for action in plan.actions {
            switch action {
            case .write(let status, let lines):
                #expect(throws: Never.self) { _ = try notebook.status.phase.advanced(to: status.phase) }
                notebook.status = status
                events += lines
            case .launch(let run):
                launched.append(run)
                sight = NotebookSight(observation: Observation(tasks: [nil]))
            case .stop(let run):
                stopped.append(run)
                sight.observation?.stopRequested = true
            case .wait(let duration): if wait == nil { wait = duration }
            case .delete: isGone = true
            }
        }
    }

    /// As the API does it.
    mutating func ask(_ phase: NotebookPhase) throws {
        notebook.status.phase = try notebook.status.phase.advanced(to: phase)
        notebook.status.cause = nil
        (notebook.status.failures, notebook.status.retryAt) = (0, nil)
        if phase == .startInProgress || phase == .rebootInProgress { notebook.status.isEnding = true }
    }

    // MARK: - What is seen

    mutating func prepare(_ cause: String? = nil) { see(.preparing, cause: cause) }

    /// Its program runs; JupyterLab does not answer yet.
    mutating func run(_ report: StartReport? = nil) {
        see(.running)
        sight.observation?.tasks[0]?.runningAt = now
        sight.health = .unhealthy("JupyterLab does not answer its health check")
        sight.report = report
    }

    mutating func end(_ outcome: TaskState.Outcome, exit: Int? = nil, cause: String? = nil, line: String? = nil) {
        see(.ended, outcome, exit: exit, cause: cause)
        sight.health = nil
        sight.lastLine = line
    }

    private mutating func see(
        _ phase: TaskState.Phase, _ outcome: TaskState.Outcome? = nil, exit: Int? = nil, cause: String? = nil
    ) {
        var task = sight.task ?? TaskState(agentPID: 1, startedAt: now)
        (task.phase, task.outcome, task.exitCode, task.cause) = (phase, outcome, exit, cause)
        sight.observation?.waiting = nil
        sight.observation?.tasks = [task]
    }

    mutating func fill(_ name: String, _ usedMiB: Int, of limitMiB: Int) {
        sight.observation?.tasks[0]?.volumes = [.init(name: name, usedMiB: usedMiB, limitMiB: limitMiB)]
    }

    mutating func killForMemory(_ count: Int) { sight.observation?.tasks[0]?.memoryKills = count }
}
