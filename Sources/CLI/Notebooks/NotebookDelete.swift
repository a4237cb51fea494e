import ArgumentParser
import Resource

struct NotebookDelete: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete notebooks and all that is in them. This cannot be cancelled.",
        discussion: "Boot and data storage are deleted with them. What lies on a NAS stays.")

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @Flag(help: "Wait until they are gone.")
    var wait = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        // All are looked up before the first is deleted: a typing mistake deletes nothing.
        var items: [JSONValue] = []
        for name in names { items.append(try await session.find(Notebooks.self, name)) }
        let question = items.count == 1 ? Notebooks.label(items[0]) : "\(items.count) notebooks"
        try session.console.confirm("Delete \(question), and the files in /root/easymaker?", assumed: yes)
        for item in items {
            _ = try await session.api.call(.DELETE, "\(Notebooks.path)/\(Notebooks.id(item))")
            session.console.note("asked to delete \(Notebooks.label(item))")
        }
        if wait {
            for item in items { try await waitUntilGone(item, session) }
        }
        if session.format == .json { session.printJSON(items.count == 1 ? items[0] : .array(items)) }
    }

    private func waitUntilGone(_ item: JSONValue, _ session: Session) async throws {
        let path = "\(Notebooks.path)/\(Notebooks.id(item))"
        var line = ProgressLine(width: session.console.noteWidth)
        let start = ContinuousClock.now
        defer { session.console.write(.error, line.clear()) }
        while true {
            do {
                let view = NotebookView(try await session.api.get(path)[Notebooks.singular])
                if view.state == .deleteFailed {
                    throw CommandFailure("notebook '\(view.name)' is \(view.told)")
                }
            } catch let errors as ValidationErrors where errors.isNotFound {
                return
            }
            let waited = Int((ContinuousClock.now - start).components.seconds)
            session.console.write(.error, line.draw("being deleted · \(Format.duration(waited))"))
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
