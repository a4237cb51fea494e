/// What becomes of a run while it is watched: decides what to say, when to stop it, and when it is over.
/// Returns what to do and does nothing itself. Times are seconds since the beginning.
struct RunMonitor {
    enum Action: Equatable {
        /// A line on stderr.
        case say(String)
        /// The state is another than before.
        case changed
        /// Ask the server to stop the training, and report with `stopRefused` where it will not.
        case askToStop
        /// Nothing more will come.
        case end(status: Int32)
        /// Stop watching, whatever becomes of it.
        case leave(status: Int32)
    }

    /// How long the logs may keep silent after the training has ended before they are no longer waited for.
    static let logPatience = 15
    /// How long the server may be gone.
    static let serverPatience = 60

    private(set) var view: TrainingView
    private var openLogs: Int
    private var lastNews = 0
    private var interrupts = 0
    private var wasRefused = false
    private var goneSince: Int?
    private var isOver = false

    init(_ view: TrainingView, logs: Int) {
        self.view = view
        openLogs = logs
    }

    mutating func observed(_ seen: TrainingView, at now: Int) -> [Action] {
        var actions: [Action] = []
        if goneSince != nil { actions.append(.say("the server is back")) }
        goneSince = nil
        if seen.code != view.code {
            actions.append(.changed)
            if seen.isSettled { lastNews = now }
        }
        view = seen
        if wasRefused, view.state == .running {
            wasRefused = false
            actions.append(.askToStop)
        }
        return actions + end(at: now)
    }

    mutating func heard(at now: Int) { lastNews = now }

    mutating func logEnded(at now: Int) -> [Action] {
        openLogs -= 1
        return end(at: now)
    }

    /// The user pressed Ctrl-C.
    mutating func interrupted() -> [Action] {
        interrupts += 1
        guard interrupts == 1 else {
            let text = "no longer watching training '\(view.name)'; \(RunText.reattach(view.id))"
            return [.say(text), .leave(status: ExitStatus.interrupted)]
        }
        if view.isSettled { return [] }
        return [.say("stopping training '\(view.name)'; press Ctrl-C again to leave without waiting"), .askToStop]
    }

    /// Only a training that runs can be stopped; one that is still being prepared is asked again when it does.
    mutating func stopRefused(_ reason: String) -> [Action] {
        if view.isSettled { return [] }
        wasRefused = true
        return [.say("it cannot be stopped yet: \(reason); it will be as soon as it runs")]
    }

    mutating func unreachable(at now: Int) -> [Action] {
        guard let since = goneSince else {
            goneSince = now
            return [.say("the server is gone; the training goes on, trying to reach it again")]
        }
        guard now - since > Self.serverPatience else { return [] }
        let text = "the server does not come back; when it does, \(RunText.reattach(view.id))"
        return [.say(text), .leave(status: ExitStatus.unavailable)]
    }

    private mutating func end(at now: Int) -> [Action] {
        guard !isOver, view.isSettled else { return [] }
        let isSilent = now - lastNews > Self.logPatience
        guard openLogs <= 0 || isSilent else { return [] }
        isOver = true
        let note: [Action] =
            openLogs > 0 ? [.say("the log does not end; read the rest with: takumi training logs \(view.id)")] : []
        // Who pressed Ctrl-C too late has a training that is complete, and that is what counts.
        let status = interrupts > 0 && view.state != .complete ? ExitStatus.interrupted : view.exitStatus
        return note + [.end(status: status)]
    }
}
