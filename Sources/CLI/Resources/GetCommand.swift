import ArgumentParser

/// `takumi KIND get NAME|ID`
struct GetCommand<N: Noun>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "get", abstract: "Show one \(N.singular).")
    }

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let found = try await session.find(N.self, name)
        // A list may show less of it than its own route.
        let item = N.single(try await session.api.get("\(N.path)/\(N.id(found))"), else: found)
        try session.print(item, details: N.details)
    }
}
