import ArgumentParser

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct EndpointRequests: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "requests", abstract: "List the last requests to a stage, oldest first.",
        discussion: "They are kept of stages that were created with --log.")

    @Argument(help: "The endpoint, by name or id.")
    var endpoint: String

    @OptionGroup var choice: StageChoice

    @Option(help: "At most so many.")
    var tail = 100

    @Option(help: ArgumentHelp("Those that contain this text only.", valueName: "text"))
    var query: String?

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws { try Self.check(tail, 1...10_000, "--tail", "requests") }

    func run(_ session: Session) async throws {
        let stage = try await Endpoints.view(endpoint, session).stage(choice.stage)
        let text = try await session.text(
            "\(Stages.path)/\(stage.id)/inference-logs",
            [("tail", String(tail))] + (query.map { [("query", $0)] } ?? []))
        let isKept = stage.json["useLog"].bool == true
        let items = try text.split(separator: "\n").map { try JSONValue(parsing: Data($0.utf8)) }
        try session.print(
            items, columns: columns,
            none: isKept
                ? query.map { "no requests to stage '\(stage.name)' contain '\($0)'" }
                    ?? "no requests to stage '\(stage.name)' yet"
                : "stage '\(stage.name)' keeps no requests; create one with --log")
    }

    private var columns: [Column] {
        [
            Column("TIME") { Timestamp.local($0["time"].string) },
            Column("MODEL", isFlexible: true) { $0["modelName"].text },
            Column("REQUEST", isFlexible: true) { $0["body"].text },
            Column("ID", isOptional: true) { $0["inferenceId"].text },
        ]
    }
}
