import Foundation
import Resource
import ServiceLifecycle
import Store
import Support
import Testing

@testable import Console

@Suite struct LiveHubTests {
    private func run(_ body: @escaping @Sendable (Store, LiveHub) async throws -> Void) async throws {
        let store = try Store(path: nil)
        let hub = LiveHub(store: store)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await hub.run() }
            // The hub listens from its first step on; until then there is nothing to tell.
            try await Task.sleep(for: .milliseconds(50))
            try await body(store, hub)
            group.cancelAll()
        }
    }

    private func thing(_ store: Store, project: String) async throws -> Thing {
        let thing = Thing.make("thing", project: project)
        try await store.insert(thing)
        return thing
    }

    @Test func pagesHearOfTheirProjectAndKindOnly() async throws {
        try await run { store, hub in
            var changes = hub.subscribe(project: "a", kinds: [.thing], id: nil).makeAsyncIterator()
            let other = hub.subscribe(project: "a", kinds: [.user], id: nil)
            _ = try await thing(store, project: "b")
            let mine = try await thing(store, project: "a")
            #expect(await changes.next()?.id == mine.id)
            #expect(hub.listenerCount == 2)
            _ = other
        }
    }

    @Test func aDeletedResourceTellsNobodyItsID() async throws {
        try await run { store, hub in
            let foreign = try await thing(store, project: "b")
            var changes = hub.subscribe(project: "a", kinds: [.thing], id: nil).makeAsyncIterator()
            try await store.delete(foreign.key)
            let change = await changes.next()
            #expect(change?.kind == "thing" && change?.id == "")
        }
    }

    @Test func aPageThatGoesIsForgotten() async throws {
        try await run { _, hub in
            do {
                let changes = hub.subscribe(project: "a", kinds: [.thing], id: nil)
                #expect(hub.listenerCount == 1)
                _ = changes
            }
            #expect(hub.listenerCount == 0)
        }
    }

    @Test func theEndOfTheServerEndsEveryStream() async throws {
        let hub = LiveHub(store: try Store(path: nil))
        let changes = hub.subscribe(project: "a", kinds: [.thing], id: nil)
        let group = Task { try await hub.run() }
        group.cancel()
        for await _ in changes {}
        try await group.value
        for await _ in hub.subscribe(project: "a", kinds: [.thing], id: nil) {}
    }
}
