import ArgumentParser
import Resource

struct EndpointCreate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create an endpoint with a stage that serves models.",
        discussion: """
            takumi endpoint create iris --model iris --instance m2.c2m4
            takumi endpoint create flowers --instance m2.c4m8 --nodes 1-3 \\
                --model iris,pods=1-4,cpu=1,memory=1Gi --model roses,cpu=50%,idle=10

            Waits until it answers, says meanwhile what it waits for, and prints a request to try.
            """)

    @Argument(help: "Its name, of at most 50 characters, which is a part of its address.")
    var name: String

    @Option(help: "What to call its first stage. (default: default)")
    var stage: String?

    @Flag(inversion: .prefixedNo, help: "Wait until it answers.")
    var wait = true

    @OptionGroup(title: "Settings") var settings: StageSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        try checkName(name, "NAME")
        if let stage { try checkName(stage, "--stage") }
    }

    func run(_ session: Session) async throws {
        var body = try await settings.body(session)
        body["endpointName"] = .string(name)
        if let stage { body["stageName"] = .string(stage) }
        let reply = try await settings.names.blaming {
            try await session.api.call(.POST, Endpoints.path, body: .object(body))
        }
        var endpoint = EndpointView(reply[Endpoints.singular])
        let answer = EndpointAnswer(session: session)
        guard wait else { return try answer.show(endpoint) }
        session.console.note("started \(Endpoints.label(endpoint.json))")
        var watch = ServingWatch(session: session)
        endpoint = try await watch.endpoint(endpoint)
        try await answer.end(endpoint)
    }
}

extension ParsableCommand {
    /// - Throws: a `ValidationError` for a name that could not be a part of an address.
    func checkName(_ name: String, _ option: String) throws {
        var problems = Validator()
        problems.name(name, option)
        problems.require(
            ![".", ".."].contains(name), option, "'\(name)' cannot be a part of an address; choose another")
        if let problem = problems.problems.first { throw ValidationError(problem.line) }
    }
}

struct EndpointGet: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show one endpoint: its stages, what they serve, and where.")

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        try EndpointAnswer(session: session).show(try await Endpoints.view(name, session))
    }
}

struct EndpointWait: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until an endpoint is as it was asked to be, and say what it waits for.",
        discussion: "Ends with 0 where it is ACTIVE, with 1 otherwise.")

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        var watch = ServingWatch(session: session)
        let endpoint = try await watch.endpoint(try await Endpoints.view(name, session))
        try await EndpointAnswer(session: session).end(endpoint)
    }
}
