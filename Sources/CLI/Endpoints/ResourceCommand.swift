import ArgumentParser

/// `takumi endpoint resource …`
struct ResourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resource", abstract: "What a stage serves: add a model, take one away.",
        subcommands: [ResourceAdd.self, ResourceRemove.self, ResourceEvents.self])
}

/// The stage that a command is about, where it is not the default one.
struct StageChoice: ParsableArguments {
    @Option(help: "The stage, by name or id. (default: the default one)")
    var stage: String?
}

struct ResourceAdd: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Serve one more model on a stage.",
        discussion: """
            takumi endpoint resource add flowers roses,pods=2,cpu=0.5

            A model that the stage serves already shares its requests with the new pods.
            """)

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(
        help: ArgumentHelp("The model, as takumi endpoint create takes it.", valueName: "name,key=value…"),
        transform: { try ModelOption($0) })
    var model: ModelOption

    @OptionGroup var choice: StageChoice

    @Flag(inversion: .prefixedNo, help: "Wait until it answers.")
    var wait = true

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        var view = try await Endpoints.view(endpoint, session)
        var stage = try view.stage(choice.stage)
        let body = model.wire(model: try await session.servable(model.model)).with("endpointStageId", .string(stage.id))
        let names = OptionNames(OptionNames.ofModel.merging(["modelId": "MODEL", "endpointStageId": "--stage"]) { $1 })
        let reply = try await names.blaming {
            try await session.api.call(.POST, StageModel.path, body: body)
        }
        let id = StageModel(reply[StageModel.singular]).id
        if wait {
            var watch = ServingWatch(session: session)
            view = try await watch.resource(id, of: try await Endpoints.read(view.id, session))
            stage = try view.stage(stage.id)
        }
        let resource = stage.resources.first { $0.id == id } ?? StageModel(reply[StageModel.singular])
        if session.format == .json {
            session.printJSON(resource.json)
        } else {
            try StageTables.print([stage.showing([resource])], session)
        }
        if resource.hasFailed { throw ExitCode(ExitStatus.failure) }
    }
}

struct ResourceRemove: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Serve a model on a stage no more. This cannot be cancelled.",
        discussion: "Requests that are under way are answered first.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(help: "The model, by name or id; or the resource, by its id.")
    var model: String

    @OptionGroup var choice: StageChoice

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @Flag(help: "Wait until it is gone.")
    var wait = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let view = try await Endpoints.view(endpoint, session)
        let stage = try view.stage(choice.stage)
        let resource = try stage.resource(model, option: "MODEL")
        let label = "'\(resource.model)' (\(resource.id)) of stage '\(stage.name)'"
        try session.console.confirm("Remove \(label)?", assumed: yes)
        _ = try await session.api.call(.DELETE, "\(StageModel.path)/\(resource.id)")
        session.console.note("asked to remove \(label)")
        if wait { try await session.waitUntilGone("\(StageModel.path)/\(resource.id)") }
        if session.format == .json { session.printJSON(resource.json) }
    }
}

struct ResourceEvents: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened to what a stage serves, oldest first.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(help: "The model, by name or id, where there are several; or the resource, by its id.")
    var model: String?

    @OptionGroup var choice: StageChoice

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let stage = try await Endpoints.view(endpoint, session).stage(choice.stage)
        let resource = try stage.resource(model, option: "MODEL")
        try await session.printEvents("\(StageModel.path)/\(resource.id)")
    }
}
