import ArgumentParser

/// `takumi KIND list`, newest first.
struct ListCommand<N: Noun>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "list", abstract: "List the \(N.plural) of the project, newest first.")
    }

    @OptionGroup var filters: N.Filters

    @Option(help: "Show at most this many.")
    var limit = 50

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit \(limit) shows nothing; use 1 or more") }
    }

    func run(_ session: Session) async throws {
        let query = try await filters.query(session) + [("limit", String(limit))]
        let items = N.list(try await session.api.get(N.path, query))
        let shown = try await session.format == .json ? items : N.readable(items, session)
        try session.print(shown, columns: N.columns, none: "no \(N.plural) in project '\(session.project)'")
        if items.count == limit {
            session.console.note("the newest \(limit) are shown; there may be more (--limit)")
        }
    }
}
