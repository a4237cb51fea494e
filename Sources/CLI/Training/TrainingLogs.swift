import ArgumentParser

struct TrainingLogs: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "logs", abstract: "Print a training's log.")

    @Argument(help: "Its name or id.")
    var name: String

    @Flag(name: .shortAndLong, help: "Go on printing until the training has ended.")
    var follow = false

    @Option(help: "Begin with the last so many lines.")
    var tail: Int?

    @Option(help: "Only the log of this node, counted from 0.")
    var node: Int?

    @Flag(name: .shortAndLong, help: "Show when each line was written, in UTC.")
    var timestamps = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail \(tail) is out of range; use 0 or more") }
        if let node, node < 0 { throw ValidationError("--node \(node) is out of range; nodes count from 0") }
    }

    func run(_ session: Session) async throws {
        let view = TrainingView(try await session.find(Trainings.self, name))
        if let node, node >= view.nodes {
            throw CommandFailure(
                "--node: training '\(view.name)' has \(Format.count(view.nodes, "node")), counted from 0")
        }
        let nodes = node.map { $0..<$0 + 1 } ?? 0..<view.nodes
        let logs = LogClient(api: session.api, training: view.id, tail: tail)
        guard follow else {
            for node in nodes { try await logs.read(node: node) { show($0, of: nodes.count, session) } }
            return
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in nodes {
                group.addTask { try await logs.follow(node: node) { show($0, of: nodes.count, session) } }
            }
            try await group.waitForAll()
        }
    }

    private func show(_ record: LogRecord, of nodes: Int, _ session: Session) {
        switch session.format {
        case .json: session.console.out(JSONText.line(record.json))
        case .table: session.console.out(record.line(ofNodes: nodes, withTime: timestamps))
        }
    }
}
