import ArgumentParser
import Resource

/// `takumi KIND delete NAME|ID …`
struct DeleteCommand<N: Noun>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "delete", abstract: "Delete \(N.plural). This cannot be cancelled.")
    }

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let items = try await session.delete(N.self, names, yes: yes, told: "deleted")
        session.printIfJSON(items)
    }
}

extension Session {
    /// Asks, and deletes. All are looked up before the first is deleted: a typing mistake deletes nothing.
    ///
    /// - Parameters:
    ///   - yes: does not ask.
    ///   - with: what else goes, for the question.
    ///   - told: before each one's name when that was done.
    /// - Returns: what they were.
    func delete<N: Noun>(_ noun: N.Type, _ names: [String], yes: Bool, with more: String = "", told: String)
        async throws -> [JSONValue]
    {
        var items: [JSONValue] = []
        for name in names { items.append(try await find(N.self, name)) }
        let question = items.count == 1 ? N.label(items[0]) : "\(items.count) \(N.plural)"
        try console.confirm("Delete \(question)\(more)?", assumed: yes)
        for item in items {
            _ = try await api.call(.DELETE, "\(N.path)/\(N.id(item))")
            console.note("\(told) \(N.label(item))")
        }
        return items
    }

    /// One alone, several as an array.
    func printIfJSON(_ items: [JSONValue]) {
        if format == .json { printJSON(items.count == 1 ? items[0] : .array(items)) }
    }

    /// Waits for the end of a deletion that takes time.
    /// - Parameter check: sees what is still there; throws where it will stay.
    func waitUntilGone(_ path: String, check: (JSONValue) throws -> Void = { _ in }) async throws {
        var line = ProgressLine(width: console.noteWidth)
        let start = ContinuousClock.now
        defer { console.write(.error, line.clear()) }
        while true {
            do {
                try check(try await api.get(path))
            } catch let errors as ValidationErrors where errors.isNotFound {
                return
            }
            let waited = Int((ContinuousClock.now - start).components.seconds)
            console.write(.error, line.draw("being deleted · \(Format.duration(waited))"))
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}
