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
        let reply = try await session.api.get("\(N.path)/\(N.id(item))/events")
        try session.print(reply["eventList"].array ?? [], columns: columns, none: "nothing has happened yet")
    }

    private var columns: [Column] {
        [
            Column("TIME") { Timestamp.local($0["createdDatetime"].string) },
            Column("STATE") { Format.state($0["statusCode"].string) },
            Column("MESSAGE") { $0["message"].text },
        ]
    }
}
