import ArgumentParser

struct EndpointTraffic: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "traffic", abstract: "Send a part of a stage's requests to another one, copy them, or limit them.",
        discussion: """
            takumi endpoint traffic iris --canary next=10      a tenth of the requests is answered by next
            takumi endpoint traffic iris --shadow next=100     next gets a copy of each; its answers go nowhere
            takumi endpoint traffic iris --no-canary --rate 50

            What is not named stays as it is. Without an option it is shown.
            """)

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @OptionGroup var choice: StageChoice

    @Option(
        help: ArgumentHelp("Let another stage answer a part of the requests.", valueName: "stage=percent"),
        transform: { try TrafficShare($0, option: "--canary") })
    var canary: TrafficShare?

    @Flag(help: "Answer all requests here.")
    var noCanary = false

    @Option(
        help: ArgumentHelp("Send a copy of a part of the requests to another stage.", valueName: "stage=percent"),
        transform: { try TrafficShare($0, option: "--shadow") })
    var shadow: TrafficShare?

    @Flag(help: "Send no copies.")
    var noShadow = false

    @Option(help: ArgumentHelp("Take at most so many requests a second.", valueName: "count"))
    var rate: Int?

    @Flag(help: "Take any number of requests.")
    var noRate = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        for (option, both) in [
            ("canary", canary != nil && noCanary), ("shadow", shadow != nil && noShadow),
            ("rate", rate != nil && noRate),
        ] where both {
            throw ValidationError("--\(option) and --no-\(option) exclude each other; give one of them")
        }
        try Self.check(rate, 1...1_000_000, "--rate", "requests a second")
    }

    private var changes: Bool {
        canary != nil || noCanary || shadow != nil || noShadow || rate != nil || noRate
    }

    func run(_ session: Session) async throws {
        let view = try await Endpoints.view(endpoint, session)
        var stage = try view.stage(choice.stage)
        if changes {
            let body = try body(stage, of: view)
            let names = OptionNames([
                "canaryStageId": "--canary", "canaryPercent": "--canary", "shadowStageId": "--shadow",
                "shadowPercent": "--shadow", "ratePerSecond": "--rate",
            ])
            let reply = try await names.blaming {
                try await session.api.call(.PUT, "\(Stages.path)/\(stage.id)/traffic", body: body)
            }
            stage = StageView(Stages.single(reply, else: stage.json))
        }
        try session.print(stage.json) { item in
            let rules = Stages.traffic(item) { view.stageName($0) }
            let lines = rules.isEmpty ? ["all requests are answered here"] : rules
            return [("stage", stage.name)] + lines.enumerated().map { ($0 == 0 ? "traffic" : "", $1) }
        }
    }

    /// All of the rules, those that stay included: the API takes away what a request leaves out.
    func body(_ stage: StageView, of endpoint: EndpointView) throws(CommandFailure) -> JSONValue {
        let known = stage.json
        var fields: [String: JSONValue?] = ["ratePerSecond": noRate ? nil : .int(rate) ?? known["ratePerSecond"]]
        let shares = [("canary", canary, noCanary), ("shadow", shadow, noShadow)]
        for (word, share, isOff) in shares where !isOff {
            fields[word + "StageId"] = known[word + "StageId"]
            fields[word + "Percent"] = known[word + "Percent"]
            guard let share else { continue }
            fields[word + "StageId"] = .string(try endpoint.stage(share.stage).id)
            fields[word + "Percent"] = .int(share.percent)
        }
        return .fields(fields.mapValues { $0.flatMap { $0.isNull ? nil : $0 } })
    }
}

/// `next=10`: a stage, and a part of the requests.
struct TrafficShare: Equatable, Sendable {
    var stage: String
    var percent: Int

    /// - Throws: `ValidationError`.
    init(_ text: String, option: String) throws {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        // A stage's name may have a '='.
        var last = parts.last ?? ""
        if last.hasSuffix("%") { last = last.dropLast() }
        guard parts.count > 1, let percent = Int(last) else {
            throw ValidationError("\(option) '\(text)' is no part of a stage; write \(option) STAGE=10, in percent")
        }
        guard (0...100).contains(percent) else {
            throw ValidationError("\(option) \(text): \(percent) is out of range; use 0 to 100 percent")
        }
        (stage, self.percent) = (parts.dropLast().joined(separator: "="), percent)
    }
}
