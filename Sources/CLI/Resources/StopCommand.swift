import ArgumentParser

/// `takumi KIND stop NAME|ID …`
struct StopCommand<N: Noun>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "stop", abstract: "Stop \(N.plural) that run. This cannot be cancelled.")
    }

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        var items: [JSONValue] = []
        for name in names { items.append(try await session.find(N.self, name)) }
        let question = items.count == 1 ? N.label(items[0]) : "\(items.count) \(N.plural)"
        try session.console.confirm("Stop \(question)?", assumed: yes)
        for (index, item) in items.enumerated() {
            let reply = try await session.api.call(.PUT, "\(N.path)/\(N.id(item))/stop")
            items[index] = N.single(reply, else: item)
            session.console.note("asked to stop \(N.label(item))")
        }
        if session.format == .json { session.printJSON(items.count == 1 ? items[0] : .array(items)) }
    }
}
