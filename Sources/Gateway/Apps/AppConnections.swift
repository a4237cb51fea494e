import NIOCore

/// What one event loop has for users' programs: connections to them, and clients that must go when they may no longer stay.
final class AppConnections {
    private unowned let loop: EventLoopContext
    /// By port. Nobody says when a program has ended, so what is not used goes.
    private var pools: [Int: (pool: ConnectionPool, used: NIODeadline)] = [:]
    private var watched: [ObjectIdentifier: ClientConnection] = [:]

    init(loop: EventLoopContext) { self.loop = loop }

    func pool(_ port: Int) -> ConnectionPool? {
        if let known = pools[port]?.pool {
            pools[port]?.used = loop.coarseNow
            return known
        }
        guard let address = try? SocketAddress(ipAddress: "127.0.0.1", port: port) else { return nil }
        let pool = ConnectionPool(address, loop: loop)
        pools[port] = (pool, loop.coarseNow)
        return pool
    }

    /// The port was refused: another program may have it next.
    func forget(_ port: Int) { pools.removeValue(forKey: port)?.pool.retire() }

    func watch(_ client: ClientConnection) { watched[ObjectIdentifier(client)] = client }
    func unwatch(_ client: ClientConnection) { watched[ObjectIdentifier(client)] = nil }

    func runTick() {
        let limit = loop.coarseNow - ConnectionPool.idleLimit
        for (port, entry) in pools {
            if entry.used < limit { forget(port) } else { entry.pool.closeIdle(before: limit) }
        }
        for client in watched.values { client.checkStay() }
    }

    func closeAll() {
        for port in pools.keys { forget(port) }
        watched = [:]
    }
}
