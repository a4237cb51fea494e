import ArgumentParser
import Resource

struct NotebookDelete: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete notebooks and all that is in them. This cannot be cancelled.",
        discussion: "Boot and data storage are deleted with them. What lies on a NAS stays.")

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @Flag(help: "Wait until they are gone.")
    var wait = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let items = try await session.delete(
            Notebooks.self, names, yes: yes, with: ", and the files in /root/easymaker", told: "asked to delete")
        if wait {
            for item in items {
                try await session.waitUntilGone("\(Notebooks.path)/\(Notebooks.id(item))") { answer in
                    let view = NotebookView(answer[Notebooks.singular])
                    if view.state == .deleteFailed { throw CommandFailure("notebook '\(view.name)' is \(view.told)") }
                }
            }
        }
        session.printIfJSON(items)
    }
}
