import Resource
import Synchronization

/// Tells whoever listens which resources were written. Listeners get keys, never contents, and must read again: a key that
/// arrives twice is harmless, and nobody may rely on one arriving at all after a crash.
package final class ChangeFeed: Sendable {
    private struct State {
        var nextID = 0
        var listeners: [Int: AsyncStream<ResourceKey>.Continuation] = [:]
        var revisions: [ResourceKind: Int] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// The keys written from now on. A listener that lags keeps the newest 100,000.
    package func subscribe() -> AsyncStream<ResourceKey> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ResourceKey.self, bufferingPolicy: .bufferingNewest(100_000))
        let id = state.withLock { state in
            state.nextID += 1
            state.listeners[state.nextID] = continuation
            return state.nextID
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }

    /// Counts the writes to a kind since the start: what was derived from it is stale where the number differs.
    package func revision(of kind: ResourceKind) -> Int { state.withLock { $0.revisions[kind] ?? 0 } }

    package func publish(_ keys: [ResourceKey]) {
        guard !keys.isEmpty else { return }
        let listeners = state.withLock { state in
            for key in keys { state.revisions[key.kind, default: 0] += 1 }
            return Array(state.listeners.values)
        }
        for listener in listeners {
            for key in keys { listener.yield(key) }
        }
    }
}
