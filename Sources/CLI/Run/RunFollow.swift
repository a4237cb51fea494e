import Resource

/// Watches a training until it has ended: its log on stdout, how it is on stderr.
struct RunFollow {
    let session: Session
    let interrupts: AsyncStream<Void>

    struct Result {
        var view: TrainingView
        var status: Int32
        /// False where the user, or a server that stays away, ended the watching first.
        var hasEnded: Bool
    }

    private enum News: Sendable {
        case training(TrainingView)
        case unreachable
        case record(LogRecord)
        case logEnded
        case logFailed(String)
        case interrupt
        case stopRefused(String)
        case failed(CommandFailure)
    }

    /// - Throws: `CommandFailure` where the training can no longer be asked about: it was deleted, or access is refused.
    func follow(_ training: TrainingView) async throws -> Result {
        let (news, desk) = AsyncStream.makeStream(of: News.self)
        let nodes = training.nodes
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { await poll(training.id, desk) }
            group.addTask { for await _ in interrupts { desk.yield(.interrupt) } }
            for node in 0..<nodes { group.addTask { await readLog(training.id, node, desk) } }

            var monitor = RunMonitor(training, logs: nodes)
            var display = RunDisplay(session: session, nodes: nodes)
            defer { display.clear() }
            let start = ContinuousClock.now
            for await item in news {
                let now = Int((ContinuousClock.now - start).components.seconds)
                for action in try Self.react(to: item, at: now, &monitor, &display) {
                    switch action {
                    case .say(let text): display.say(text)
                    case .changed: display.changed(monitor.view)
                    case .askToStop: group.addTask { await stop(training.id, desk) }
                    case .end(let status): return Result(view: monitor.view, status: status, hasEnded: true)
                    case .leave(let status): return Result(view: monitor.view, status: status, hasEnded: false)
                    }
                }
                display.progress(monitor.view, waited: now)
            }
            throw CancellationError()
        }
    }

    private static func react(
        to news: News, at now: Int, _ monitor: inout RunMonitor, _ display: inout RunDisplay
    ) throws -> [RunMonitor.Action] {
        switch news {
        case .training(let view): return monitor.observed(view, at: now)
        case .unreachable: return monitor.unreachable(at: now)
        case .record(let record):
            display.show(record)
            monitor.heard(at: now)
            return []
        case .logEnded: return monitor.logEnded(at: now)
        case .logFailed(let reason): return [.say(reason)] + monitor.logEnded(at: now)
        case .interrupt: return monitor.interrupted()
        case .stopRefused(let reason): return monitor.stopRefused(reason)
        case .failed(let failure): throw failure
        }
    }

    /// Asks twice a second how it is.
    private func poll(_ id: String, _ desk: AsyncStream<News>.Continuation) async {
        while !Task.isCancelled {
            do {
                let reply = try await session.api.get("\(Trainings.path)/\(id)")
                desk.yield(.training(TrainingView(reply["training"])))
            } catch let failure as CommandFailure where failure.status == ExitStatus.unavailable {
                desk.yield(.unreachable)
            } catch let errors as ValidationErrors where errors.errors.allSatisfy({ $0.code == .unavailable }) {
                desk.yield(.unreachable)
            } catch {
                desk.yield(.failed(CommandFailure(describing: error)))
                return
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    private func readLog(_ id: String, _ node: Int, _ desk: AsyncStream<News>.Continuation) async {
        do {
            try await LogClient.training(id, session.api).follow(node: node) { desk.yield(.record($0)) }
            desk.yield(.logEnded)
        } catch {
            desk.yield(.logFailed(CommandFailure(describing: error).lines.joined(separator: "; ")))
        }
    }

    private func stop(_ id: String, _ desk: AsyncStream<News>.Continuation) async {
        do {
            _ = try await session.api.call(.PUT, "\(Trainings.path)/\(id)/stop")
        } catch {
            desk.yield(.stopRefused(CommandFailure(describing: error).lines.joined(separator: "; ")))
        }
    }
}

/// A run on the terminal: log lines scroll, the progress line stays below them.
private struct RunDisplay {
    let session: Session
    let nodes: Int
    private var line: ProgressLine

    init(session: Session, nodes: Int) {
        self.session = session
        self.nodes = nodes
        line = ProgressLine(width: session.console.noteWidth)
    }

    /// What the script writes goes where it would have gone had it run here; with json, stdout is for that alone.
    mutating func show(_ record: LogRecord) {
        clear()
        let isOutput = record.stream == .stdout && session.format == .table
        session.console.write(isOutput ? .out : .error, record.line(ofNodes: nodes) + "\n")
    }

    mutating func say(_ text: String) {
        clear()
        session.console.note("takumi: \(text)")
    }

    /// Where there is no terminal to redraw a line on, each state gets one.
    mutating func changed(_ view: TrainingView) {
        guard line.width == nil else { return }
        session.console.note(
            "takumi: \([Format.state(view.code), view.reason].compactMap { $0 }.joined(separator: ": "))")
    }

    mutating func progress(_ view: TrainingView, waited: Int) {
        session.console.write(.error, line.draw(RunText.progress(view, waited: waited)))
    }

    mutating func clear() {
        session.console.write(.error, line.clear())
    }
}
