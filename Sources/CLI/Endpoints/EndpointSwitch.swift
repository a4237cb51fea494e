import ArgumentParser

struct EndpointSwitch: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "switch", abstract: "Make another stage the default, without losing a request.",
        discussion: """
            The endpoint's address means that stage from the next request on. The stage that was the default is deleted \
            once the requests on their way to it are answered; with --keep it stays for a while, and \
            takumi endpoint back returns to it.

            A stage without API keys takes those of the stage that was the default, and one without a rate limit its limit: \
            a switch opens the endpoint to nobody. takumi endpoint key clear does.
            """)

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @Argument(help: "The stage, by name or id.")
    var stage: String

    @Option(help: ArgumentHelp("Keep the stage that was the default for so long.", valueName: "minutes"))
    var keep: Int?

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws { try Self.check(keep, 0...10_080, "--keep", "minutes") }

    func run(_ session: Session) async throws {
        let view = try await Endpoints.view(endpoint, session)
        let next = try view.stage(stage)
        let old = view.stages.first(where: \.isDefault)
        if keep ?? 0 == 0, let old {
            try session.console.confirm(
                "Make '\(next.name)' the default, and delete '\(old.name)'? (--keep MINUTES keeps it)", assumed: yes)
        }
        let names = OptionNames(["endpointStageId": "STAGE", "keepMinutes": "--keep"])
        let reply = try await names.blaming {
            try await session.api.call(
                .PUT, "\(Endpoints.path)/\(view.id)/default-stage",
                body: .fields(["endpointStageId": .string(next.id), "keepMinutes": .int(keep)]))
        }
        session.console.note("'\(next.name)' is the default stage of endpoint '\(view.name)' now")
        if let old, let taken = Self.taken(by: next, from: old) { session.console.note(taken) }
        try EndpointAnswer(session: session).show(EndpointView(Endpoints.single(reply, else: view.json)))
    }
}

extension EndpointSwitch {
    /// What guards a stage from now on that was open before.
    static func taken(by next: StageView, from old: StageView) -> String? {
        let rate = "ratePerSecond"
        let taken = [
            old.hasKeys && !next.hasKeys ? "API keys" : nil,
            !old.json[rate].isNull && next.json[rate].isNull ? "rate limit" : nil,
        ]
        let words = taken.compactMap { $0 }.joined(separator: " and ")
        return words.isEmpty ? nil : "'\(next.name)' has taken the \(words) of '\(old.name)'"
    }
}

struct EndpointBack: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "back", abstract: "Make the stage the default again that was it before the last switch.",
        discussion: "As long as takumi endpoint switch --keep keeps it. The other one stays, as a further stage.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let view = try await Endpoints.view(endpoint, session)
        let reply = try await session.api.call(.PUT, "\(Endpoints.path)/\(view.id)/go-back")
        let after = EndpointView(Endpoints.single(reply, else: view.json))
        session.console.note(
            "'\(after.stages.first?.name ?? "")' is the default stage of endpoint '\(after.name)' again")
        try EndpointAnswer(session: session).show(after)
    }
}
