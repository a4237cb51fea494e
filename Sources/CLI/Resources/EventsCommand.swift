import ArgumentParser

/// `takumi KIND events NAME|ID`, oldest first.
struct EventsCommand<N: Noun>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "events", abstract: "Show what happened to one \(N.title), oldest first.")
    }

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let item = try await session.find(N.self, name)
        try await session.printEvents("\(N.path)/\(N.id(item))")
    }
}

extension Session {
    /// The history of what `path` names.
    func printEvents(_ path: String) async throws {
        let reply = try await api.get("\(path)/events")
        let columns = [
            Column("TIME") { Timestamp.local($0["createdDatetime"].string) },
            Column("STATE") { Format.state($0["statusCode"].string) },
            Column("MESSAGE") { $0["message"].text },
        ]
        try print(reply["eventList"].array ?? [], columns: columns, none: "nothing has happened yet")
    }
}
