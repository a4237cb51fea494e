import ArgumentParser

/// `takumi KIND get NAME|ID`
struct GetCommand<N: Noun>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "get", abstract: "Show one \(N.title).")
    }

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        try await session.print(N.self, try await session.read(N.self, name))
    }
}
