import Logging
import Resource
import ServiceLifecycle
import Store
import Synchronization

/// Runs the reconcilers: feeds the work queue from the change feed and works it off with a few workers.
package final class Controller: Service {
    private let store: Store
    private let reconcilers: [ResourceKind: any Reconciler]
    private let workers: Int
    private let logger: Logger
    private let queue = Mutex(WorkQueue())
    private let running = Mutex(0)
    private let wake: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    private let origin = ContinuousClock.now

    package init(store: Store, reconcilers: [any Reconciler], workers: Int = 8, logger: Logger) {
        self.store = store
        self.reconcilers = Dictionary(uniqueKeysWithValues: reconcilers.map { ($0.kind, $0) })
        self.workers = workers
        self.logger = logger
        (wake, waker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Asks for a key to be looked at, for what the change feed cannot know (an engine's news).
    package func enqueue(_ key: ResourceKey) {
        guard reconcilers[key.kind] != nil else { return }
        queue.withLock { $0.add(key, now: now) }
        waker.yield()
    }

    package func run() async throws {
        // Subscribe before listing: what is written in between is then seen twice rather than never.
        let changes = store.changes.subscribe()
        for kind in reconcilers.keys {
            for key in try await store.keys(unsettledOf: kind) { enqueue(key) }
        }
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await key in changes { self.enqueue(key) }
                }
                group.addTask { await self.dispatch() }
            }
        }
    }

    /// Hands keys to at most `workers` tasks. Every wake-up drains what is ready, so that a missed one costs nothing.
    ///
    /// Timers are tasks that wake the loop: cancelling a wait on the stream instead would end the stream.
    private func dispatch() async {
        await withDiscardingTaskGroup { group in
            var armed: Duration?
            for await _ in wake {
                if Task.isCancelled { break }
                if let due = armed, due <= now { armed = nil }
                while let key = take() {
                    group.addTask {
                        await self.work(on: key)
                        self.running.withLock { $0 -= 1 }
                        self.waker.yield()
                    }
                }
                guard let due = queue.withLock(\.nextDue), armed.map({ due < $0 }) ?? true else { continue }
                armed = due
                group.addTask {
                    try? await Task.sleep(until: self.origin + due, clock: .continuous)
                    self.waker.yield()
                }
            }
            group.cancelAll()
        }
    }

    private func take() -> ResourceKey? {
        running.withLock { running in
            guard running < workers else { return nil }
            let key = queue.withLock { queue in
                queue.advance(to: now)
                return queue.take()
            }
            if key != nil { running += 1 }
            return key
        }
    }

    private func work(on key: ResourceKey) async {
        guard let reconciler = reconcilers[key.kind] else { return }
        do {
            let again = try await reconciler.reconcile(key)
            queue.withLock { $0.finish(key, now: now, again: again) }
        } catch {
            let delay = queue.withLock { $0.fail(key, now: now) }
            logger.warning(
                "reconcile failed", metadata: ["key": "\(key)", "error": "\(error)", "retry": "\(delay)"])
        }
    }

    private var now: Duration { ContinuousClock.now - origin }
}
