import NIOCore
import Synchronization

/// What all event loops know of a backend. Outlives the table that brought it, so that its requests stay counted.
final class BackendState: Sendable {
    let backend: Backend
    let address: SocketAddress
    private let inFlight = Atomic<Int>(0)
    private let asideUntil = Atomic<UInt64>(0)

    init(_ backend: Backend) throws {
        self.backend = backend
        address = try SocketAddress(ipAddress: "127.0.0.1", port: backend.port)
    }

    // Sequentially consistent, as is the table's number: whoever publishes a table without this backend and then sees no
    // request in flight can be sure that none will come (see `EventLoopContext.choose`).
    func enter() { inFlight.add(1, ordering: .sequentiallyConsistent) }
    func leave() { inFlight.subtract(1, ordering: .sequentiallyConsistent) }
    var requests: Int { inFlight.load(ordering: .sequentiallyConsistent) }
    var load: Int { inFlight.load(ordering: .relaxed) }

    /// After a connection that was refused; others are asked first for a while.
    func setAside(now: NIODeadline) {
        asideUntil.store((now + .milliseconds(500)).uptimeNanoseconds, ordering: .relaxed)
    }

    func isAside(now: NIODeadline) -> Bool { asideUntil.load(ordering: .relaxed) > now.uptimeNanoseconds }
}

/// What all event loops know of a resource of a stage.
final class ResourceUse: Sendable {
    let stage: String
    let resource: String
    private let count = Atomic<Int>(0)
    private let waiting = Atomic<Int>(0)

    init(stage: String, resource: String) {
        self.stage = stage
        self.resource = resource
    }

    func countRequest() { count.add(1, ordering: .relaxed) }
    var requests: Int { count.load(ordering: .relaxed) }

    /// - Returns: Whether this one is the first that waits.
    func beginWaiting() -> Bool { waiting.add(1, ordering: .relaxed).oldValue == 0 }
    func endWaiting() { waiting.subtract(1, ordering: .relaxed) }
}
