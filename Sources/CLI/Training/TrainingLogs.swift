import ArgumentParser

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

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

    @OptionGroup var client: ClientOptions

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
        // The plain log is text; for json, or live, it comes a line at a time with all that is known of the line.
        if follow || (session.format == .json && view.isSettled) {
            try await followed(logs, nodes, of: view.nodes, session)
        } else {
            for node in nodes {
                try await logs.read(node: node) { line in
                    session.console.out(nodes.count > 1 ? "[node \(node)] \(line)" : line)
                }
            }
        }
    }

    private func followed(_ logs: LogClient, _ nodes: Range<Int>, of total: Int, _ session: Session) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in nodes {
                group.addTask {
                    try await logs.follow(node: node) { record in
                        switch session.format {
                        case .json:
                            let line = (try? record.json.encoded()) ?? Data()
                            session.console.out(String(decoding: line, as: UTF8.self))
                        case .table: session.console.out(record.line(ofNodes: nodes.count > 1 ? total : 1))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
