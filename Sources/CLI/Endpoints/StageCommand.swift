import ArgumentParser

/// `takumi endpoint stage …`
struct StageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stage", abstract: "The stages of an endpoint: each serves models at an address of its own.",
        subcommands: [
            StageList.self, StageCreate.self, StageGet.self, StageDeploy.self, StageDelete.self, StageEvents.self,
        ])
}

struct StageList: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the stages of an endpoint, the default one first.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let view = try await Endpoints.view(endpoint, session)
        try session.print(
            view.stages.map(\.json), columns: Stages.columns, none: "endpoint '\(view.name)' has no stages")
    }
}

struct StageGet: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show one stage: what it serves, on which pods, and where.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(help: "The stage, by name or id. (default: the default one)")
    var stage: String?

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let view = try await Endpoints.view(endpoint, session)
        let stage = try view.stage(stage)
        try EndpointAnswer(session: session).show(view, stage: stage)
        try StageTables.printPods(stage, session)
    }
}

struct StageEvents: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened to one stage, oldest first.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(help: "The stage, by name or id. (default: the default one)")
    var stage: String?

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let stage = try await Endpoints.view(endpoint, session).stage(stage)
        try await session.printEvents("\(Stages.path)/\(stage.id)")
    }
}

struct StageDeploy: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy", abstract: "Make a stage known to the gateway again, where that has failed.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(help: "The stage, by name or id. (default: the default one)")
    var stage: String?

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let view = try await Endpoints.view(endpoint, session)
        let stage = try view.stage(stage)
        let reply = try await session.api.call(.PUT, "\(Stages.path)/\(stage.id)/deploy")
        try session.print(Stages.single(reply, else: stage.json)) { Stages.details($0) { view.stageName($0) } }
    }
}

struct StageDelete: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a stage that is not the default one. This cannot be cancelled.",
        discussion: "Requests that are under way are answered first.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(help: "Stages, by name or id.")
    var stages: [String]

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @Flag(help: "Wait until they are gone.")
    var wait = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let view = try await Endpoints.view(endpoint, session)
        var doomed: [StageView] = []
        for word in stages { doomed.append(try view.stage(word)) }
        let names = doomed.map { "'\($0.name)'" }.joined(separator: ", ")
        try session.console.confirm("Delete stage \(names) of endpoint '\(view.name)'?", assumed: yes)
        for stage in doomed {
            _ = try await session.api.call(.DELETE, "\(Stages.path)/\(stage.id)")
            session.console.note("asked to delete \(Stages.label(stage.json)) of endpoint '\(view.name)'")
        }
        if wait {
            for stage in doomed { try await session.waitUntilGone("\(Stages.path)/\(stage.id)") }
        }
        if session.format == .json {
            session.printJSON(doomed.count == 1 ? doomed[0].json : .array(doomed.map(\.json)))
        }
    }
}
