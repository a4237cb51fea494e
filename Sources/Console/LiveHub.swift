import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Resource
import ServiceLifecycle
import Store
import Synchronization
import Web

/// Tells open pages which resources of their project have changed: one look at the database per change, however many
/// pages are open, and none while nothing changes.
package final class LiveHub: Service {
    /// A change as a page hears of it.
    package struct Change: Sendable, Encodable {
        package var kind: String
        package var id: String
    }

    private struct Listener {
        var project: String
        var kinds: Set<ResourceKind>
        var id: String?
        var continuation: AsyncStream<Change>.Continuation
    }

    private struct State {
        var next = 0
        var listeners: [Int: Listener] = [:]
        var isClosed = false
    }

    private let store: Store
    private let state = Mutex(State())

    package init(store: Store) { self.store = store }

    package func run() async throws {
        let changes = store.changes.subscribe()
        await cancelWhenGracefulShutdown {
            for await key in changes { await self.publish(key) }
        }
        // Pages come back by themselves; a server that shuts down must not wait for them.
        let listeners = state.withLock { state in
            state.isClosed = true
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.continuation.finish() }
    }

    private func publish(_ key: ResourceKey) async {
        let interested = state.withLock { $0.listeners.values.filter { $0.kinds.contains(key.kind) } }
        guard !interested.isEmpty else { return }
        // Gone: who listens to its kind must look again, and its id is told to nobody.
        let project = try? await store.record(key)?.metadata.project
        let change = Change(kind: key.kind.rawValue, id: project == nil ? "" : key.id)
        for listener in interested where project == nil || listener.project == project {
            if let id = listener.id, id != key.id { continue }
            listener.continuation.yield(change)
        }
    }

    /// What changes from now on. Ends when the server shuts down.
    ///
    /// - Parameter id: only this resource.
    func subscribe(project: String, kinds: Set<ResourceKind>, id: String?) -> AsyncStream<Change> {
        // A page that lags looks again at everything anyway: what it missed does not matter.
        let (stream, continuation) = AsyncStream.makeStream(of: Change.self, bufferingPolicy: .bufferingNewest(64))
        let number: Int? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.next += 1
            state.listeners[state.next] = Listener(
                project: project, kinds: kinds, id: id, continuation: continuation)
            return state.next
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    /// How many pages listen.
    package var listenerCount: Int { state.withLock { $0.listeners.count } }
}

/// A page's stream of server-sent events.
package struct LiveStream: Sendable {
    /// An event that is not a change of a resource: a log that has grown, say.
    package struct Event: Sendable, Equatable {
        package var name: String
        /// JSON.
        package var data: String

        package init(_ name: String, _ data: String = "{}") {
            self.name = name
            self.data = data
        }
    }

    private enum Item: Sendable {
        case change(LiveHub.Change)
        case event(Event)
        case beat
    }

    private let hub: LiveHub
    private let project: String
    private let kinds: Set<ResourceKind>
    private let id: String?
    private let poll: (@Sendable () async -> [Event]?)?
    private let isAllowed: @Sendable () async -> Bool

    /// - Parameters:
    ///   - page: whose user must still be allowed to look whenever a sign of life is due.
    ///   - poll: asked every half second for what has happened since it was last asked, until it says nil. For what lies in
    ///     files and not in the database.
    package init(
        _ page: Page, kinds: Set<ResourceKind>, id: String? = nil, poll: (@Sendable () async -> [Event]?)? = nil
    ) {
        let (directory, session, project) = (page.pages.directory, page.browser.session ?? "", page.project ?? "")
        isAllowed = {
            let principal = try? await directory.principal(of: session, purposes: [.session])
            return principal?.mayRead(project: project) ?? false
        }
        hub = page.pages.live
        self.project = project
        self.kinds = kinds
        self.id = id
        self.poll = poll
    }

    /// Seconds between signs of life, which also find out that the page has gone.
    private static let pulse = 20

    package func response() -> Response {
        let changes = hub.subscribe(project: project, kinds: kinds, id: id)
        let (poll, isAllowed) = (poll, isAllowed)
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                // Browsers come back after two seconds.
                try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
                let (items, continuation) = AsyncStream.makeStream(
                    of: Item.self, bufferingPolicy: .bufferingNewest(64))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for await change in changes { continuation.yield(.change(change)) }
                        continuation.finish()
                    }
                    group.addTask {
                        while true {
                            try await Task.sleep(for: .seconds(LiveStream.pulse))
                            continuation.yield(.beat)
                        }
                    }
                    if let poll {
                        group.addTask {
                            while let events = await poll() {
                                for event in events { continuation.yield(.event(event)) }
                                try await Task.sleep(for: .milliseconds(500))
                            }
                        }
                    }
                    for await item in items {
                        switch item {
                        case .change(let change):
                            let data = String(decoding: try WireJSON.encode(change), as: UTF8.self)
                            try await writer.write(ByteBuffer(string: "event: change\ndata: \(data)\n\n"))
                        case .event(let event):
                            try await writer.write(
                                ByteBuffer(string: "event: \(event.name)\ndata: \(event.data)\n\n"))
                        case .beat:
                            guard await isAllowed() else { return group.cancelAll() }
                            try await writer.write(ByteBuffer(string: ": \n\n"))
                        }
                    }
                    group.cancelAll()
                }
                try await writer.finish(nil)
            })
    }
}
