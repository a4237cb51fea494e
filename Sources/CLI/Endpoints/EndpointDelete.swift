import ArgumentParser
import Resource

struct EndpointDelete: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete endpoints, each with its default stage. This cannot be cancelled.",
        discussion: "Requests that are under way are answered first. Other stages have to be deleted before.")

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @Flag(help: "Wait until they are gone.")
    var wait = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        // All are looked up before the first is deleted: a typing mistake deletes nothing.
        var items: [JSONValue] = []
        for name in names { items.append(try await session.find(Endpoints.self, name)) }
        let question = items.count == 1 ? Endpoints.label(items[0]) : "\(items.count) endpoints"
        try session.console.confirm("Delete \(question)?", assumed: yes)
        for item in items {
            _ = try await session.api.call(.DELETE, "\(Endpoints.path)/\(Endpoints.id(item))")
            session.console.note("asked to delete \(Endpoints.label(item))")
        }
        if wait {
            for item in items { try await session.waitUntilGone("\(Endpoints.path)/\(Endpoints.id(item))") }
        }
        if session.format == .json { session.printJSON(items.count == 1 ? items[0] : .array(items)) }
    }
}

extension Session {
    /// Waits for the end of a deletion that lets requests be answered first.
    func waitUntilGone(_ path: String) async throws {
        var line = ProgressLine(width: console.noteWidth)
        let start = ContinuousClock.now
        defer { console.write(.error, line.clear()) }
        while true {
            do {
                _ = try await api.get(path)
            } catch let errors as ValidationErrors where errors.isNotFound {
                return
            }
            let waited = Int((ContinuousClock.now - start).components.seconds)
            console.write(.error, line.draw("being deleted · \(Format.duration(waited))"))
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}
