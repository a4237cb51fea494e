import ArgumentParser

struct StageCreate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Add a stage to an endpoint: another version, at an address of its own.",
        discussion: "Options are those of takumi endpoint create.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(help: "The stage's name, of at most 50 characters, which is a part of its address.")
    var name: String

    @Flag(inversion: .prefixedNo, help: "Wait until it answers.")
    var wait = true

    @OptionGroup(title: "Settings") var settings: StageSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws { try checkName(name, "NAME") }

    func run(_ session: Session) async throws {
        var view = try await Endpoints.view(endpoint, session)
        var body = try await settings.body(session)
        body["endpointId"] = .string(view.id)
        body["apigwStageName"] = .string(name)
        let reply = try await settings.names.blaming {
            try await session.api.call(.POST, Stages.path, body: .object(body))
        }
        var stage = StageView(reply[Stages.singular])
        let answer = EndpointAnswer(session: session)
        guard wait else { return try answer.show(view, stage: stage) }
        session.console.note("started \(Stages.label(stage.json)) of endpoint '\(view.name)'")
        var watch = ServingWatch(session: session)
        view = try await watch.stage(stage.id, of: try await Endpoints.read(view.id, session))
        stage = try view.stage(stage.id)
        try await answer.end(view, stage: stage)
    }
}
