import Foundation
import NIOCore
import NIOPosix

/// Puts the parts together and runs them on one event loop.
final class ModelServer {
    private let options: ModelServerOptions
    private let loop: any EventLoop
    private let log: @Sendable (String) -> Void
    private let core: Core
    let inference: InferenceCore
    private let service: HTTPService
    private let supervisor: WorkerSupervisor
    private let socket: WorkerSocket
    private let result: EventLoopPromise<Int32>
    private var listener: (any Channel)?
    private var isDraining = false

    /// On the event loop.
    init(
        _ options: ModelServerOptions, loop: any EventLoop, threads: NIOThreadPool, result: EventLoopPromise<Int32>,
        log: @escaping @Sendable (String) -> Void
    ) throws {
        self.options = options
        self.loop = loop
        self.log = log
        self.result = result
        var limits = Core.Limits()
        limits.batch.rows = options.maxBatch
        limits.batch.window = options.batchWindow
        limits.queue = options.queue
        limits.time = options.timeLimit
        core = Core(name: options.name, limits: limits, loop: loop)
        inference = InferenceCore(core)
        service = HTTPService(core: core, bodyMemory: options.bodyMemory, threads: threads)
        socket = try WorkerSocket(scratch: options.scratch)
        let command = WorkerCommand(options, socket: socket.path, inherited: ProcessInfo.processInfo.environment)
        supervisor = WorkerSupervisor(core: core, command: command, threads: threads, log: log)
    }

    func start() {
        supervisor.onFirstReady = { [service] in service.bodyMemory.settle(used: $0.residentWithUs) }
        supervisor.onFirstFailure = { [self] cause in finish(1, cause) }
        let supervisor = NIOLoopBound(supervisor, eventLoop: loop)
        let worker = ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try supervisor.value.adopt(channel) }
            }
            .bind(unixDomainSocketPath: socket.path)
        let http = HTTPListener.bind(service, port: options.port)
        worker.and(http).assumeIsolated().whenComplete { [self] bound in
            switch bound {
            case .success(let (_, http)):
                listener = http
                service.sweep()
                log("model server of '\(options.name)' listens on 127.0.0.1:\(http.localAddress?.port ?? 0)")
                self.supervisor.start()
            case .failure(let error): finish(1, "the port \(options.port) of 127.0.0.1 cannot be listened on: \(error)")
            }
        }
    }

    /// Stops accepting, answers what is there, ends the worker.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        log("ending: answering \(core.queueLength) requests that wait")
        listener?.close(promise: nil)
        service.drain()
        guard core.description != nil || !core.isIdle else { return stopWorker() }
        // Those that are just arriving on kept connections are answered too.
        loop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { [self] in awaitConnections() }
    }

    private func awaitConnections() {
        core.whenIdle { [self] in
            guard service.hasBusyConnections else { return stopWorker() }
            // A body is still on its way, for as long as its client needs and the platform lets us live.
            loop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { [self] in awaitConnections() }
        }
    }

    private func stopWorker() {
        supervisor.onStopped = { [self] in finish(0, nil) }
        supervisor.stop()
    }

    /// A part that cannot serve takes the server with it.
    func fail(_ cause: String) {
        isDraining = true
        supervisor.onStopped = { [self] in finish(1, cause) }
        supervisor.stop()
    }

    private func finish(_ status: Int32, _ cause: String?) {
        isDraining = true
        listener?.close(promise: nil)
        service.closeAll()
        if let cause { log(cause) }
        socket.remove()
        result.succeed(status)
    }
}
