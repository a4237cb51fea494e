import NIOCore
import NIOPosix

/// The idle connections of one event loop to one port.
final class ConnectionPool {
    /// Shorter than model servers wait, so that it is always this side that ends an idle connection.
    static let idleLimit = TimeAmount.seconds(15)
    private static let most = 256

    private let address: SocketAddress
    let loop: EventLoopContext
    /// The longest unused first.
    private var idle: [UpstreamConnection] = []
    private var isRetired = false

    init(_ address: SocketAddress, loop: EventLoopContext) {
        self.address = address
        self.loop = loop
    }

    func take() -> UpstreamConnection? { idle.popLast() }

    /// - Returns: false where it is not wanted here; then it is the caller's to close.
    func put(_ connection: UpstreamConnection) -> Bool {
        guard !isRetired, idle.count < ConnectionPool.most else { return false }
        idle.append(connection)
        return true
    }

    /// A connection that closed while it was idle.
    func remove(_ connection: UpstreamConnection) {
        idle.removeAll { $0 === connection }
    }

    /// Opens a connection.
    /// - Parameter then: Called on the event loop, with nil where nothing answers.
    func connect(_ then: @escaping (UpstreamConnection?) -> Void) {
        let connection = UpstreamConnection(pool: self)
        let bound = NIOLoopBound(connection, eventLoop: loop.eventLoop)
        ClientBootstrap(group: loop.eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connectTimeout(.seconds(5))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success: then(connection)
                case .failure: then(nil)
                }
            }
    }

    func closeIdle(before time: NIODeadline) {
        guard let first = idle.first, first.idleSince < time else { return }
        let old = idle.prefix { $0.idleSince < time }
        idle.removeFirst(old.count)
        for connection in old { connection.close() }
    }

    /// Who was there is there no longer: idle connections close now, those in use when they are through.
    func retire() {
        isRetired = true
        let all = idle
        idle = []
        for connection in all { connection.close() }
    }
}
