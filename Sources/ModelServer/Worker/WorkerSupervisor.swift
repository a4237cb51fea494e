import Foundation
import NIOCore
import NIOPosix

/// Keeps the worker running: starts it, hears its frames, ends it where it breaks the protocol, starts it again.
///
/// Lives on the core's event loop.
final class WorkerSupervisor: WorkerLink {
    private enum State {
        case idle
        /// Started; not ready yet.
        case starting
        case ready(since: NIODeadline)
        /// Asked to end, for good.
        case stopping
    }

    private let core: Core
    private let command: WorkerCommand
    private let threads: NIOThreadPool
    private let log: @Sendable (String) -> Void
    /// The model could not be loaded at the first start.
    var onFirstFailure: ((String) -> Void)?
    var onStopped: (() -> Void)?
    /// The model has been loaded.
    var onFirstReady: ((WorkerProcess) -> Void)?

    private var state = State.idle
    private var process: WorkerProcess?
    private var channel: (any Channel)?
    private var wasReady = false
    /// Why we ended the process, or why it said that it failed.
    private var cause: String?
    private var exit: String?
    private var begin = NIODeadline.now()
    private var backoff = Backoff()
    private var loop: any EventLoop { core.loop }

    init(core: Core, command: WorkerCommand, threads: NIOThreadPool, log: @escaping @Sendable (String) -> Void) {
        self.core = core
        self.command = command
        self.threads = threads
        self.log = log
    }

    // MARK: - Start

    func start() {
        state = .starting
        begin = .now()
        cause = nil
        exit = nil
        do {
            let process = try WorkerProcess.start(command, threads: threads, loop: loop)
            self.process = process
            process.end.assumeIsolated().whenComplete { [self] result in
                exited((try? result.get()) ?? "unknown end")
            }
        } catch {
            cause = "\(error)"
            ended()
        }
    }

    /// A worker has connected. Only the one that was just started is listened to.
    func adopt(_ channel: any Channel) throws {
        guard case .starting = state, self.channel == nil, process != nil else {
            throw ChannelError.inappropriateOperationForState
        }
        self.channel = channel
        let handler = WorkerChannel(
            frame: { [self] in try receive($0) }, failed: { [self] in malformed($0) },
            closed: { [self] in connectionClosed(channel) })
        try channel.pipeline.syncOperations.addHandlers([ByteToMessageHandler(FrameDecoder()), handler])
    }

    // MARK: - Frames

    func send(_ parts: [ByteBuffer]) {
        guard let channel else { return }
        for part in parts { channel.write(part, promise: nil) }
        channel.flush()
    }

    private func receive(_ frame: WorkerFrame) throws {
        switch state {
        case .ready: try core.receive(header: frame.header, body: frame.body)
        case .starting: try receiveFirst(frame)
        // What it still has to say while it ends answers nobody's request, except those of a drained server.
        case .stopping: try? core.receive(header: frame.header, body: frame.body)
        case .idle: break
        }
    }

    private struct Op: Decodable {
        var op: String
        var cause: String?
    }

    private func receiveFirst(_ frame: WorkerFrame) throws {
        let header = Data(frame.header.readableBytesView)
        guard let op = try? JSONDecoder().decode(Op.self, from: header) else {
            throw MalformedFrame("a first frame that says neither 'ready' nor 'failed'")
        }
        switch op.op {
        case "ready":
            guard let description = try? JSONDecoder().decode(ModelDescription.self, from: header) else {
                throw MalformedFrame("a 'ready' whose fields have other types than agreed")
            }
            state = .ready(since: .now())
            // Later, what the model server holds for its clients would be counted as the model's.
            let isFirst = !wasReady
            wasReady = true
            log("model '\(core.name)' is ready after \((NIODeadline.now() - begin).nanoseconds / 1_000_000) ms")
            if let process, isFirst { onFirstReady?(process) }
            core.workerIsReady(description, link: self)
        case "failed": cause = op.cause ?? "the model could not be loaded"
        default: throw MalformedFrame("the op '\(op.op)' before 'ready'")
        }
    }

    private func malformed(_ what: String) {
        kill(cause: "the model's process broke the protocol (\(what)) and was ended")
    }

    func kill(cause: String) {
        if self.cause == nil { self.cause = cause }
        process?.kill()
    }

    // MARK: - End

    private func connectionClosed(_ closed: any Channel) {
        guard channel === closed else { return }
        channel = nil
        guard let process, exit == nil else { return }
        // A process without its connection is of no use, however alive. One that is about to end gets the time to say how.
        let pid = process.pid
        loop.assumeIsolated().scheduleTask(in: .seconds(2)) { [self] in
            guard self.process?.pid == pid, exit == nil else { return }
            kill(cause: "the model's process closed its connection and was ended")
        }
    }

    /// Answers that it wrote before it ended may still be on their way, so the connection's end is waited for. But not for
    /// long: a process that it left behind may hold the other end.
    private func exited(_ how: String) {
        exit = how
        guard let channel else { return ended() }
        channel.closeFuture.assumeIsolated().whenComplete { [self] _ in ended() }
        loop.assumeIsolated().scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
    }

    private func ended() {
        channel = nil
        process = nil
        let before = state
        state = .idle
        let how = exit.map { "the model's process ended (\($0))" } ?? "the model's process could not be started"
        if case .stopping = before {
            core.workerHasGone(cause: how)
            onStopped?()
            return
        }
        let cause = cause ?? how
        guard wasReady else {
            onFirstFailure?(exit == nil || self.cause != nil ? cause : "\(cause) before the model was loaded")
            return
        }
        core.workerHasGone(cause: cause)
        core.metrics.restarts += 1
        var healthy = TimeAmount.zero
        if case .ready(let since) = before { healthy = NIODeadline.now() - since }
        let pause = backoff.pause(healthy: healthy)
        log("\(cause); it is started again in \(seconds(pause))")
        loop.assumeIsolated().scheduleTask(in: pause) { [self] in
            if case .idle = state { start() }
        }
    }

    /// Ends the worker for good: by SIGTERM, after ten seconds by force.
    func stop() {
        guard let process else {
            state = .stopping
            onStopped?()
            return
        }
        state = .stopping
        process.terminate()
        channel?.close(promise: nil)
        loop.assumeIsolated().scheduleTask(in: .seconds(10)) { [self] in
            if self.process?.pid == process.pid { process.kill() }
        }
    }
}
