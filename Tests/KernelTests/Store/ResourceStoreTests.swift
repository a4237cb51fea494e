import Foundation
import Resource
import Store
import Support
import Testing

@Suite struct ResourceStoreTests {
    private let store: Store

    init() throws { store = try Store(path: nil) }

    @Test func keepsAndReturnsAResource() async throws {
        let thing = Thing.make("one", color: "blue")
        try await store.insert(thing)
        let found: Thing? = try await store.resource(thing.key)
        #expect(found?.spec.color == "blue")
        #expect(found?.metadata.name == "one")
        #expect(try await store.events(of: thing.key).map(\.message) == ["requested"])
    }

    @Test func aForeignProjectSeesNothing() async throws {
        let thing = Thing.make("one", project: "mine")
        try await store.insert(thing)
        #expect(try await store.record(thing.key, project: "theirs") == nil)
        #expect(try await store.records(Query(.thing, project: "theirs")).isEmpty)
    }

    @Test func writesAStatusOnlyOverTheVersionThatWasRead() async throws {
        var thing = Thing.make("one")
        try await store.insert(thing)
        thing.status.cause = "first"
        #expect(try await store.updateStatus(thing) != nil)
        thing.status.cause = "second, from a stale copy"
        #expect(try await store.updateStatus(thing) == nil)
        let found: Thing? = try await store.resource(thing.key)
        #expect(found?.status.cause == "first")
    }

    @Test func refusesASecondResourceOfAUniqueName() async throws {
        try await store.insert(Thing.make("one"), uniqueName: "thingName")
        let error = await #expect(throws: TakumiError.self) {
            try await store.insert(Thing.make("one"), uniqueName: "thingName")
        }
        #expect(error?.code == .conflict)
        #expect(error?.field == "thingName")
        try await store.insert(Thing.make("one", project: "other"), uniqueName: "thingName")
        #expect(try await store.records(Query(.thing, project: "default")).count == 1)
    }

    @Test func refusesToDeleteWhatIsInUse() async throws {
        let used = Thing.make("used", isSettled: true)
        let finished = Thing.make("finished", uses: [Reference(used.key, .whileUnsettled)], isSettled: true)
        var working = Thing.make("working", uses: [Reference(used.key, .whileUnsettled)])
        for thing in [used, finished, working] { try await store.insert(thing) }

        let error = await #expect(throws: TakumiError.self) { try await store.delete(used.key) }
        #expect(error?.message.contains("'working'") == true)
        #expect(error?.message.contains("'finished'") == false)

        working.status.phase = .made
        _ = try await store.updateStatus(working)
        try await store.delete(used.key)
        #expect(try await store.record(used.key) == nil)
        #expect(try await store.record(finished.key) != nil)
    }

    @Test func deletesOnlyWhatHasNotChangedSinceItWasRead() async throws {
        var whole = Thing.make("whole", isSettled: true)
        let part = Thing.make("part", uses: [Reference(whole.key, .part)])
        for thing in [whole, part] { try await store.insert(thing) }
        let asRead = whole
        whole.status.cause = "goes on"
        whole = try #require(try await store.updateStatus(whole))
        #expect(try await store.delete(asRead) == nil)
        #expect(try await store.record(part.key) != nil)

        #expect(try await store.delete(whole) == [part.key])
        #expect(try await store.record(whole.key) == nil)
        #expect(try await store.record(part.key) == nil)
        #expect(try await store.events(of: part.key).isEmpty)
        #expect(try await store.delete(whole) == nil)
    }

    @Test func partsStayWhereSomethingStandsInTheWay() async throws {
        let whole = Thing.make("whole", isSettled: true)
        let part = Thing.make("part", uses: [Reference(whole.key, .part)])
        let user = Thing.make("user", uses: [Reference(whole.key)])
        for thing in [whole, part, user] { try await store.insert(thing) }
        await #expect(throws: TakumiError.self) { try await store.delete(whole) }
        #expect(try await store.record(part.key) != nil)
    }

    @Test func aStrongReferenceHoldsForEver() async throws {
        let used = Thing.make("used", isSettled: true)
        try await store.insert(used)
        let user = Thing.make("user", uses: [Reference(used.key)], isSettled: true)
        try await store.insert(user)
        await #expect(throws: TakumiError.self) { try await store.delete(used.key) }
        try await store.delete(user.key)
        try await store.delete(used.key)
    }

    @Test func insertingRefersOnlyToWhatExists() async throws {
        let gone = ResourceKey(.thing, "gone")
        await #expect(throws: TakumiError.self) { try await store.insert(Thing.make("one", uses: [Reference(gone)])) }
        #expect(try await store.records(Query(.thing, project: nil)).isEmpty)
    }

    @Test func listsNewestFirstWithPages() async throws {
        for index in 0..<5 { try await store.insert(Thing.make("\(index)")) }
        var query = Query(.thing, project: "default")
        query.limit = 2
        query.offset = 1
        #expect(try await store.records(query).map(\.metadata.name) == ["3", "2"])
        #expect(try await store.count(query) == 5)
        query = Query(.thing, project: "default")
        query.names = ["0", "4"]
        #expect(try await store.records(query).map(\.metadata.name) == ["4", "0"])
    }

    @Test func tellsListenersAfterTheCommit() async throws {
        let changes = store.changes.subscribe()
        let thing = Thing.make("one")
        try await store.insert(thing)
        var iterator = changes.makeAsyncIterator()
        #expect(await iterator.next() == thing.key)
        #expect(store.changes.revision(of: .thing) == 1)
    }

    @Test func twoProcessesShareOneFile() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/takumi.db"
        let (first, second) = (try Store(path: path), try Store(path: path))
        let thing = Thing.make("one")
        try await first.insert(thing)
        #expect(try await second.record(thing.key) != nil)
    }
}
