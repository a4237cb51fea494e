import ArgumentParser

struct EndpointStatistics: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Show a stage's requests: how many, what became of them, how long they took.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @OptionGroup var choice: StageChoice

    @Option(help: ArgumentHelp("Look back so far, 1 to 10080.", valueName: "minutes"))
    var minutes = 60

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws { try Self.check(minutes, 1...10_080, "--minutes") }

    func run(_ session: Session) async throws {
        let stage = try await Endpoints.view(endpoint, session).stage(choice.stage)
        let reply = try await session.api.get(
            "\(Stages.path)/\(stage.id)/statistics", [("minutes", String(minutes))])["statistics"]
        if session.format == .json { return session.printJSON(reply) }
        let points = reply["pointList"].array ?? []
        let total = points.isEmpty ? [] : [reply["total"].with("time", .string("total"))]
        try session.print(
            points + total, columns: columns,
            none: "no requests to stage '\(stage.name)' within \(Format.count(minutes, "minute"))")
    }

    private var columns: [Column] {
        [
            Column("TIME") { Timestamp.local($0["time"].string) },
            Column("REQUESTS", isNumber: true) { $0["callCount"].text },
            Column("OK", isNumber: true) { $0["successCount"].text },
            Column("4XX", isNumber: true) { $0["clientErrorCount"].text },
            Column("5XX", isNumber: true) { $0["serverErrorCount"].text },
            Self.milliseconds("MEDIAN MS", "latencyMedianMilliseconds"),
            Self.milliseconds("95 % MS", "latency95Milliseconds"),
            Self.milliseconds("99 % MS", "latency99Milliseconds"),
        ]
    }

    private static func milliseconds(_ title: String, _ field: String) -> Column {
        Column(title, isNumber: true) { $0[field].double.map { Format.fixed($0, $0 < 10 ? 2 : 0) } ?? "" }
    }
}
