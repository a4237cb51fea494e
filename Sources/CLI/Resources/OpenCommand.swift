import ArgumentParser

/// `takumi KIND open NAME|ID`
struct OpenCommand<N: Noun>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "open", abstract: "Print the address of the TensorBoard of one \(N.title).")
    }

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let item = try await session.find(N.self, name)
        guard let uri = item["tensorboardAccessUri"].string, !uri.isEmpty else {
            throw CommandFailure("\(N.title) '\(N.name(item))' has no TensorBoard; it is \(N.state(item))")
        }
        switch session.format {
        case .json: session.printJSON(.object(["tensorboardAccessUri": .string(uri)]))
        case .table: session.console.out(uri)
        }
        session.console.note("it opens for who is logged in; a link to log in: takumi login")
    }
}
