import Engine
import Foundation
import JobKit
import Resource

/// What is seen of a notebook from outside.
struct NotebookSight: Sendable, Equatable {
    /// Of its present run; nil where that was never launched or has been removed.
    var observation: Observation?
    /// What JupyterLab answers; nil where it was not asked.
    var health: Health?
    /// What the program that starts JupyterLab says of itself.
    var report: StartReport?
    var use: NotebookUse?
    /// It was asked just now, since it would be stopped otherwise.
    var isUseFresh = false
    /// The last line of its log, where it has ended.
    var lastLine: String?

    enum Health: Sendable, Equatable {
        case healthy
        case unhealthy(String)
    }

    var task: TaskState? { observation?.tasks.first ?? nil }
}

/// `status.json` of the boot storage. A user's program may write there: shown, not trusted.
struct StartReport: Decodable, Sendable, Equatable {
    struct Script: Decodable, Sendable, Equatable {
        var name: String
        var exitCode: Int?
    }

    struct KernelDeath: Decodable, Sendable, Equatable {
        var name: String
        var signal: Int
        var time: Double
    }

    var phase: String?
    /// The user's script that runs, and since when.
    var script: String?
    var since: Double?
    var scripts: [Script]?
    var kernelDeaths: [KernelDeath]?
}

/// What to do next about a notebook.
enum NotebookAction: Equatable {
    /// Its former runs have ended and go before.
    case launch(run: Int)
    case stop(run: Int)
    /// Write this status; with lines for the history where it is worth any.
    case write(NotebookStatus, events: [String])
    case wait(Duration)
    /// All has ended: its runs and its storage go, and then the resource. Nothing of it is written before that has worked.
    case delete
}

/// Pure: the stored notebook and what is seen of it → what to do.
struct NotebookPlan {
    /// Seconds that JupyterLab may take to answer, the user's scripts not counted.
    static let startLimit = 600.0
    /// Seconds of good health after which crashes are counted anew.
    static let calm = 600.0
    /// Seconds that the two witnesses of a killed kernel may be apart.
    static let killWindow = 3.0

    private(set) var actions: [NotebookAction] = []
    private var status: NotebookStatus
    private var events: [String] = []
    private let notebook: Notebook
    private let sight: NotebookSight
    private let now: Date
    private let platform: Int

    init(_ notebook: Notebook, _ sight: NotebookSight, platform: Int, now: Date) {
        (self.notebook, self.sight, self.now, self.platform) = (notebook, sight, now, platform)
        status = notebook.status
        switch status.phase {
        case .createRequested:
            status.phase = .createInProgress
            launch()
        case .createInProgress, .startInProgress, .rebootInProgress:
            if status.isEnding { endFormerRun() } else { start() }
        case .healthy, .unhealthy: watch()
        case .stopInProgress: if endsRun() { becomeStopped() }
        case .deleteInProgress: if endsRun() { actions.append(.delete) }
        case .stopped, .createFailed, .stopFailed, .startFailed, .rebootFailed, .deleteFailed: break
        }
        if status != notebook.status { actions.insert(.write(status, events: events), at: 0) }
    }

    // MARK: - Starting

    private mutating func launch() {
        status.platform = platform
        status.launchedAt = now
        actions.append(.launch(run: status.run))
    }

    private mutating func start() {
        guard let observation = sight.observation else { return launch() }
        if let waiting = observation.waiting {
            if status.cause != waiting { events.append(waiting) }
            status.cause = waiting
            return actions.append(.wait(.seconds(10)))
        }
        guard let task = sight.task else { return actions.append(.wait(.milliseconds(100))) }
        if task.hasEnded { return fail(ending(task)) }
        status.isolation = task.isolation ?? status.isolation
        switch (task.phase, sight.health) {
        case (.running, .healthy): becomeActive()
        case (.running, _): awaitJupyter(task)
        default:
            status.cause = task.cause
            actions.append(.wait(.milliseconds(100)))
        }
    }

    private mutating func becomeActive() {
        let seconds = Int(now.timeIntervalSince(status.launchedAt ?? now).rounded())
        // It may have answered all the time, and only its storage was full.
        let hasAnswered = !status.phase.isStarting && !isStartingAgain
        events.append(hasAnswered ? "healthy again" : "JupyterLab answers after \(max(0, seconds)) s")
        status.phase = .healthy
        status.cause = nil
        if !hasAnswered { status.activeAt = now }
        tellScripts()
        actions.append(.wait(.seconds(5)))
    }

    /// JupyterLab of the present run has not answered yet.
    private var isStartingAgain: Bool { (status.activeAt ?? .distantPast) < (status.launchedAt ?? .distantPast) }

    /// What goes on before it answers.
    private func step(_ task: TaskState) -> String {
        guard task.phase == .running else { return task.cause ?? "JupyterLab is starting" }
        guard let script = sight.report?.script else { return "JupyterLab is starting" }
        let seconds = Int(now.timeIntervalSince1970 - (sight.report?.since ?? now.timeIntervalSince1970))
        // By ten seconds: each change is written.
        let shown = seconds < 10 ? "" : " for \(seconds / 10 * 10) s"
        return "running cont-init.d/\(script.excerpt)\(shown)"
    }

    private mutating func awaitJupyter(_ task: TaskState) {
        var began = task.runningAt ?? now
        status.cause = step(task)
        if sight.report?.script != nil { return actions.append(.wait(.seconds(1))) }
        if sight.report?.phase == "starting", let since = sight.report?.since {
            began = max(began, Date(timeIntervalSince1970: since))
        }
        guard now.timeIntervalSince(began) > NotebookPlan.startLimit else {
            return actions.append(.wait(.milliseconds(100)))
        }
        actions.append(.stop(run: status.run))
        fail("JupyterLab did not answer within \(Int(NotebookPlan.startLimit / 60)) minutes; see the log")
    }

    private mutating func fail(_ cause: String) {
        status.phase = status.phase.failed
        status.cause = cause
        events.append(cause)
    }

    /// Why a run has ended.
    private func ending(_ task: TaskState) -> String {
        let cause = task.cause ?? (task.exitCode.map { "JupyterLab ended with exit code \($0)" } ?? "JupyterLab ended")
        // Who was killed had no time to say why.
        guard task.outcome == .failed || task.outcome == .succeeded, task.exitCode ?? 0 >= 0, let line = sight.lastLine
        else { return cause }
        return "\(cause): \(line.excerpt)"
    }

    /// A start's first half: what ran before must have ended.
    private mutating func endFormerRun() {
        guard endsRun() else { return }
        status.isEnding = false
        status.run += 1
        forgetRun()
        launch()
    }

    private mutating func forgetRun() {
        status.toldDeaths = now.timeIntervalSince1970
        (status.toldMemoryKills, status.toldScripts, status.killSeenAt) = (0, 0, nil)
        (status.idleSince, status.stopsAt, status.inUse) = (nil, nil, nil)
    }

    // MARK: - Active

    private mutating func watch() {
        guard let observation = sight.observation, let task = sight.task, !task.hasEnded else {
            if sight.observation?.waiting != nil || (sight.observation != nil && sight.task == nil) {
                status.phase = .unhealthy
                status.cause = sight.observation?.waiting ?? "JupyterLab is starting"
                return actions.append(.wait(.seconds(1)))
            }
            return startAgain()
        }
        status.isolation = task.isolation ?? status.isolation
        status.retryAt = nil
        tellKills(task)
        tellScripts()
        if let full = task.volumes?.first(where: \.isFull) {
            becomeUnhealthy(
                "the \(full.name) storage is full: \(full.usedMiB) of \(full.limitMiB) MiB; nothing can be written until files are deleted"
            )
        } else if sight.health == .healthy {
            if status.phase == .unhealthy { becomeActive() }
            if let since = status.activeAt, now.timeIntervalSince(since) > NotebookPlan.calm { status.failures = 0 }
        } else if isStartingAgain {
            becomeUnhealthy(step(task))
            return actions.append(.wait(.milliseconds(sight.report?.script == nil ? 200 : 1000)))
        } else if case .unhealthy(let cause)? = sight.health {
            becomeUnhealthy(cause)
        }
        considerUse(observation)
        actions.append(.wait(.seconds(5)))
    }

    private mutating func becomeUnhealthy(_ cause: String) {
        if status.phase != .unhealthy { events.append(cause) }
        status.phase = .unhealthy
        status.cause = cause
    }

    /// JupyterLab has ended though nobody asked it to: its data is there, and it comes again.
    private mutating func startAgain() {
        if let retryAt = status.retryAt {
            guard now >= retryAt else {
                return actions.append(.wait(.seconds(max(0.05, retryAt.timeIntervalSince(now)))))
            }
            status.retryAt = nil
            status.run += 1
            forgetRun()
            return launch()
        }
        let cause = sight.task.map(ending) ?? "JupyterLab's workload is gone"
        let seconds = [0, 1, 5, 15, 60][min(status.failures, 4)]
        status.failures += 1
        status.retryAt = now.addingTimeInterval(Double(seconds))
        let again = seconds == 0 ? "it is being started again" : "it is started again in \(seconds) s"
        becomeUnhealthy("\(cause); \(again)")
        events = [status.cause ?? cause]
        actions.append(.wait(.seconds(Double(seconds) + 0.05)))
    }

    /// Which programs were killed, and why. The agent counts what memory was short for, and JupyterLab writes which kernel has
    /// ended: the one comes a moment after the other, and only both together tell it well.
    private mutating func tellKills(_ task: TaskState) {
        let deaths = (sight.report?.kernelDeaths ?? []).filter { $0.time > status.toldDeaths }
        let isForMemory = (task.memoryKills ?? 0) > status.toldMemoryKills
        let killed = deaths.filter { $0.signal == SIGKILL }
        if isForMemory == killed.isEmpty, isForMemory || !deaths.isEmpty && deaths.count == killed.count {
            let seenAt = status.killSeenAt ?? now
            guard now.timeIntervalSince(seenAt) >= NotebookPlan.killWindow else {
                status.killSeenAt = seenAt
                return actions.append(.wait(.seconds(1)))
            }
        }
        status.killSeenAt = nil
        if isForMemory {
            let names = killed.isEmpty ? ["a program"] : killed.map { "the kernel '\($0.name.excerpt)'" }
            events += names.map {
                "\($0) was killed: out of memory, which the instance type has too little of; choose a larger one or smaller data"
            }
        }
        for death in deaths where !isForMemory || death.signal != SIGKILL {
            events.append("the kernel '\(death.name.excerpt)' was killed by signal \(death.signal)")
        }
        status.toldMemoryKills = task.memoryKills ?? 0
        status.toldDeaths = deaths.map(\.time).max() ?? status.toldDeaths
    }

    private mutating func tellScripts() {
        let scripts = sight.report?.scripts ?? []
        for script in scripts.dropFirst(status.toldScripts) {
            guard let code = script.exitCode, code != 0 else { continue }
            events.append(
                "cont-init.d/\(script.name.excerpt) ended with exit code \(code); see \(script.name.excerpt).output")
        }
        status.toldScripts = max(status.toldScripts, scripts.count)
    }

    // MARK: - Idle stop

    private mutating func considerUse(_ observation: Observation) {
        guard let rule = notebook.spec.idleStop else {
            (status.idleSince, status.stopsAt, status.inUse) = (nil, nil, nil)
            return
        }
        guard let use = sight.use else { return }
        if let reason = use.reason(ignoringConnections: rule.ignoresConnections) {
            (status.idleSince, status.stopsAt, status.inUse) = (nil, nil, reason)
            return
        }
        // Nobody can have used it before it was there.
        let last = use.since(ignoringConnections: rule.ignoresConnections)
        let since = max(last ?? .distantPast, status.activeAt ?? now)
        let stopsAt = since.addingTimeInterval(Double(60 * rule.minutes))
        (status.idleSince, status.stopsAt, status.inUse) = (since, stopsAt, nil)
        // What ran since the last answer would be ended: that time has come is written, and JupyterLab is asked again.
        guard now >= stopsAt, sight.isUseFresh else { return }
        status.phase = .stopInProgress
        status.cause = "not used for \(rule.minutes) minutes"
        events.append("stopped by itself: \(status.cause ?? "")")
    }

    // MARK: - Ending

    /// Sees to it that nothing of it runs.
    /// - Returns: whether that is so.
    private mutating func endsRun() -> Bool {
        guard let observation = sight.observation, sight.task?.hasEnded != true else { return true }
        if !observation.stopRequested { actions.append(.stop(run: status.run)) }
        actions.append(.wait(.milliseconds(200)))
        return false
    }

    private mutating func becomeStopped() {
        forgetRun()
        (status.failures, status.retryAt) = (0, nil)
        status.phase = .stopped
        events.append(status.cause.map { "stopped: \($0)" } ?? "stopped")
    }
}
