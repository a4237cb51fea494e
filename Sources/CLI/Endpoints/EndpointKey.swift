import ArgumentParser

/// `takumi endpoint key …`
struct EndpointKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "API keys, without which a stage answers nobody once it has one.",
        subcommands: [KeyCreate.self, KeyClear.self])
}

struct KeyCreate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an API key for a stage, beside those that it has. It is shown once.",
        discussion: "Clients send it as X-API-Key, or as Authorization: Bearer.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @OptionGroup var choice: StageChoice

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let stage = try await Endpoints.view(endpoint, session).stage(choice.stage)
        let reply = try await session.api.call(.POST, "\(Stages.path)/\(stage.id)/api-keys")
        switch session.format {
        case .json: session.printJSON(.object(["apiKey": reply["apiKey"]]))
        case .table: session.console.out(reply["apiKey"].text)
        }
        let others = stage.hasKeys ? "" : "; from now on stage '\(stage.name)' answers only who sends a key"
        session.console.note("keep it: it cannot be shown again\(others)")
    }
}

struct KeyClear: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear", abstract: "Remove all API keys of a stage. It answers everybody then.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @OptionGroup var choice: StageChoice

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let view = try await Endpoints.view(endpoint, session)
        let stage = try view.stage(choice.stage)
        try session.console.confirm(
            "Remove all API keys of stage '\(stage.name)' of endpoint '\(view.name)', and answer everybody?",
            assumed: yes)
        _ = try await session.api.call(.DELETE, "\(Stages.path)/\(stage.id)/api-keys")
        session.console.note("stage '\(stage.name)' answers everybody now")
        if session.format == .json { session.printJSON(stage.json.with("hasApiKey", .bool(false))) }
    }
}
