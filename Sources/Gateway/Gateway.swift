import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Resource
import ServiceLifecycle
import Synchronization

/// The way in to what runs here: takes requests to endpoints on one port, with TLS or plain, and passes each to a model
/// server; on another those to users' programs.
package final class Gateway: Service {
    private let settings: GatewaySettings
    private let core: GatewayCore
    private let files = NIOThreadPool(numberOfThreads: 1)
    private let started: @Sendable (_ port: Int) async -> Void
    private let loops = Mutex<[NIOLoopBound<EventLoopContext>]>([])
    private let apps = Mutex<AppsDoor?>(nil)
    private static let drainLimit = Duration.seconds(15)

    /// - Parameters:
    ///   - started: Called once it listens.
    ///   - wanted: A request waits for a resource that has no backend; called on an event loop, so it must not block.
    /// - Throws: Where the certificate or the statistics' folder cannot be used.
    package init(
        _ settings: GatewaySettings, logger: Logger, started: @escaping @Sendable (_ port: Int) async -> Void,
        wanted: @escaping @Sendable (_ stage: String, _ resource: String) -> Void
    ) throws {
        self.settings = settings
        self.started = started
        core = GatewayCore(
            settings: settings, statistics: try StatisticsStore(folder: settings.statistics, logger: logger),
            log: InferenceLogWriter(pool: files, logger: logger), tls: try Gateway.tls(settings), logger: logger,
            wanted: wanted)
    }

    private static func tls(_ settings: GatewaySettings) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(settings.certificate).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(file: settings.key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        // For the other side's good-bye, which many clients never send.
        configuration.shutdownTimeout = .seconds(1)
        return try NIOSSLContext(configuration: configuration)
    }

    // MARK: - Table and counts

    /// Replaces the table, from any thread; takes effect for the next request.
    package func publish(_ table: RouteTable) {
        core.statistics.expect(table.stages.map(\.id))
        core.registry.publish(table)
        // Requests look for themselves; this is for those that wait, and for connections to backends that are gone.
        // Under the lock, since event loops that have ended must not be called.
        loops.withLock { loops in
            for loop in loops { loop.eventLoop.execute { loop.value.adopt() } }
        }
    }

    /// Requests on their way to a backend's id, also those that a former table sent there.
    package func inFlight(_ backend: String) -> Int { core.registry.inFlight(backend) }

    /// Since the start; those that wait are among them.
    package func requests(of stage: String, resource: String) -> Int {
        core.registry.requests(stage: stage, resource: resource)
    }

    /// Of memory and file together, up to a quarter of a second ago.
    package func statistics(of stage: String) -> StageStatistics { core.statistics.statistics(of: stage) }

    /// A stage that was deleted: its statistics go.
    package func forget(_ stage: String) {
        core.registry.forget(stage)
        core.statistics.forget(stage)
    }

    /// Lets users' programs be reached, too. Before it runs.
    package func open(_ apps: AppsDoor) { self.apps.withLock { $0 = apps } }

    // MARK: - Service

    /// Serves until graceful shutdown; then stops listening, lets requests finish for 15 s at most, and closes.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, settings.threads))
        files.start()
        do {
            try await serve(group)
        } catch {
            loops.withLock { $0 = [] }
            try? await group.shutdownGracefully()
            try? await files.shutdownGracefully()
            throw error
        }
        try? await group.shutdownGracefully()
        try? await files.shutdownGracefully()
    }

    private func serve(_ group: MultiThreadedEventLoopGroup) async throws {
        let loops = try await makeLoops(group)
        self.loops.withLock { $0 = Array(loops.values) }
        var listeners = [try await listen(group, loops, port: settings.port, door: Door(settings))]
        await started(listeners[0].localAddress?.port ?? settings.port)
        var gate: GateKeeper?
        if let apps = apps.withLock({ $0 }) {
            let door = Door(apps)
            gate = door.gate
            listeners.append(try await listen(group, loops, port: apps.port, door: door))
            await apps.started(listeners[1].localAddress?.port ?? apps.port)
        }
        await withTaskGroup(of: Void.self) { tasks in
            if let gate { tasks.addTask { await gate.run() } }
            await saveUntilShutdown()
            for listener in listeners { try? await listener.close() }
            // The gate is asked until the last connection has gone.
            await drain(Array(loops.values))
            tasks.cancelAll()
        }
        self.loops.withLock { $0 = [] }
        let core = core
        try? await files.runIfActive {
            core.statistics.save()
            core.log.drain()
        }
    }

    private func saveUntilShutdown() async {
        let core = core
        let files = files
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                while (try? await Task.sleep(for: .seconds(10))) != nil {
                    _ = try? await files.runIfActive { core.statistics.save() }
                }
            }
            tasks.addTask { try? await gracefulShutdown() }
            // The other one goes on until it is cancelled.
            await tasks.next()
            tasks.cancelAll()
        }
    }

    private func makeLoops(_ group: MultiThreadedEventLoopGroup) async throws
        -> [ObjectIdentifier: NIOLoopBound<EventLoopContext>]
    {
        var loops: [ObjectIdentifier: NIOLoopBound<EventLoopContext>] = [:]
        let core = core
        for eventLoop in group.makeIterator() {
            loops[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
                let loop = NIOLoopBound(EventLoopContext(eventLoop: eventLoop, core: core), eventLoop: eventLoop)
                eventLoop.scheduleRepeatedTask(
                    initialDelay: EventLoopContext.tick, delay: EventLoopContext.tick
                ) { _ in loop.value.runTick() }
                return loop
            }.get()
        }
        return loops
    }

    private func listen(
        _ group: MultiThreadedEventLoopGroup, _ loops: [ObjectIdentifier: NIOLoopBound<EventLoopContext>], port: Int,
        door: Door
    ) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Connections have these from the socket that they are accepted on. A client whose machine is gone ends so after
            // two minutes, also in a tunnel, which no other limit ends.
            .serverChannelOption(.socketOption(.so_keepalive), value: 1)
            .serverChannelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: 60)
            .serverChannelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: 15)
            .serverChannelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 4)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
                        throw ChannelError.ioOnClosedChannel
                    }
                    try channel.pipeline.syncOperations.addHandler(ClientConnection(loop: loop.value, door: door))
                }
            }
        do {
            return try await bootstrap.bind(host: settings.host, port: port).get()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            // Whoever starts the server knows by which options its ports are chosen.
            throw error
        } catch {
            throw TakumiError(
                .unavailable,
                "the gateway cannot listen on \(settings.host):\(port) (\(error)); choose another port")
        }
    }

    private func drain(_ loops: [NIOLoopBound<EventLoopContext>]) async {
        // All at once, so that none of them answers in the old way while another is waited for.
        let drained = loops.map { loop in loop.eventLoop.submit { loop.value.drain() } }
        for each in drained { try? await each.get() }
        let end = ContinuousClock.now + Gateway.drainLimit
        while ContinuousClock.now < end {
            var unfinished = 0
            for loop in loops { unfinished += (try? await loop.eventLoop.submit { loop.value.unfinished }.get()) ?? 0 }
            if unfinished == 0 { break }
            // Cancelled means at once.
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { break }
        }
        for loop in loops {
            try? await loop.eventLoop.submit { loop.value.closeAll() }.get()
        }
    }
}
