import ArgumentParser

/// `takumi experiment …`
package struct ExperimentCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "experiment", abstract: "Group trainings, and compare them in one TensorBoard.",
        subcommands: [
            ListCommand<Experiments>.self, ExperimentCreate.self, GetCommand<Experiments>.self,
            UpdateCommand<Experiments>.self, DeleteCommand<Experiments>.self, EventsCommand<Experiments>.self,
            ExperimentRetry.self,
        ])

    package init() {}
}

enum Experiments: Noun {
    static let singular = "experiment"
    static let plural = "experiments"
    static let path = "/experiments"

    static var columns: [Column] {
        [
            nameColumn, stateColumn, createdColumn, idColumn,
            Column("DESCRIPTION", isFlexible: true, isOptional: true) { $0["description"].text },
        ]
    }

    static func details(_ item: JSONValue) -> [(String, String)] {
        head(item) + [("tensorboard", item["tensorboardAccessUri"].text)] + foot(item)
    }
}

struct ExperimentCreate: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Create an experiment.")

    @Argument(help: "Its name, of at most 50 characters.")
    var name: String

    @Option(help: "What it is about.")
    var description: String?

    @Option(help: ArgumentHelp("A tag.", valueName: "key=value"))
    var tag: [KeyValue] = []

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let body = JSONValue.fields([
            "experimentName": .string(name), "description": .string(description),
            "tagList": tag.isEmpty ? nil : TagChange.wire(tag),
        ])
        let reply = try await session.api.call(.POST, Experiments.path, body: body)
        try session.print(reply["experiment"], details: Experiments.details)
    }
}

struct ExperimentRetry: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Try again to create an experiment whose creation failed.")

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let item = try await session.find(Experiments.self, name)
        let reply = try await session.api.call(.PUT, "\(Experiments.path)/\(Experiments.id(item))/retry")
        try session.print(Experiments.single(reply, else: item), details: Experiments.details)
    }
}
