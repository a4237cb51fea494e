import ArgumentParser

/// `takumi KIND delete NAME|ID …`
struct DeleteCommand<N: Noun>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "delete", abstract: "Delete \(N.plural). This cannot be cancelled.")
    }

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        // All are looked up before the first is deleted: a typing mistake deletes nothing.
        var items: [JSONValue] = []
        for name in names { items.append(try await session.find(N.self, name)) }
        let question = items.count == 1 ? N.label(items[0]) : "\(items.count) \(N.plural)"
        try session.console.confirm("Delete \(question)?", assumed: yes)
        for item in items {
            _ = try await session.api.call(.DELETE, "\(N.path)/\(N.id(item))")
            session.console.note("deleted \(N.label(item))")
        }
        if session.format == .json { session.printJSON(items.count == 1 ? items[0] : .array(items)) }
    }
}
