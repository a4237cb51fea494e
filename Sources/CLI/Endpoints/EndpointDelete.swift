import ArgumentParser
import Resource

struct EndpointDelete: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete endpoints, each with its default stage. This cannot be cancelled.",
        discussion: "Requests that are under way are answered first. Other stages have to be deleted before.")

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @Flag(help: "Wait until they are gone.")
    var wait = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let items = try await session.delete(Endpoints.self, names, yes: yes, told: "asked to delete")
        if wait {
            for item in items { try await session.waitUntilGone("\(Endpoints.path)/\(Endpoints.id(item))") }
        }
        session.printIfJSON(items)
    }
}
