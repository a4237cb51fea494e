import Control
import Logging
import Resource
import ServiceLifecycle
import Store
import Support
import Synchronization
import Testing

@Suite struct ControllerTests {
    /// Makes things; fails the first time for each, to be tried again.
    private final class Maker: Reconciler {
        let kind = ResourceKind.thing
        let store: Store
        let seen = Mutex<[ResourceKey: Int]>([:])
        let atOnce = Mutex<(now: Int, most: Int)>((0, 0))

        init(store: Store) { self.store = store }

        func reconcile(_ key: ResourceKey) async throws -> Duration? {
            let round = seen.withLock { seen in
                seen[key, default: 0] += 1
                return seen[key, default: 0]
            }
            atOnce.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            defer { atOnce.withLock { $0.now -= 1 } }
            try await Task.sleep(for: .milliseconds(5))
            if round == 1 { throw TakumiError(.failed, "the first time") }
            guard var thing: Thing = try await store.resource(key), thing.status.phase == .asked else { return nil }
            thing.status.phase = .made
            _ = try await store.updateStatus(thing)
            return nil
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func settlesWhatIsThereAndWhatComes() async throws {
        let store = try Store(path: nil)
        try await store.insert(Thing.make("before"))
        let maker = Maker(store: store)
        let controller = Controller(store: store, reconcilers: [maker], workers: 3, logger: Logger(label: "test"))
        let group = ServiceGroup(services: [controller], logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for index in 0..<20 { try await store.insert(Thing.make("after \(index)")) }
            while try await store.keys(unsettledOf: .thing).count > 0 { try await Task.sleep(for: .milliseconds(10)) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(try await store.records(Query(.thing, project: nil)).count == 21)
        #expect(maker.seen.withLock { $0.values.allSatisfy { $0 >= 2 } })
        #expect(maker.atOnce.withLock(\.most) <= 3)
    }
}
