import ArgumentParser

/// How much of a log is shown, and how.
struct LogOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Go on printing until the end.")
    var follow = false

    @Option(help: "Begin with the last so many lines.")
    var tail: Int?

    @Option(help: "Only the log of this node, counted from 0.")
    var node: Int?

    @Flag(name: .shortAndLong, help: "Show when each line was written, in UTC.")
    var timestamps = false

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail \(tail) is out of range; use 0 or more") }
        if let node, node < 0 { throw ValidationError("--node \(node) is out of range; nodes count from 0") }
    }

    /// Prints what was asked for.
    /// - Parameters:
    ///   - nodes: how many there are.
    ///   - owner: how to speak of whose log it is: `training 'iris'`.
    func print(_ logs: LogClient, nodes: Int, of owner: String, _ session: Session) async throws {
        if let node, node >= nodes {
            throw CommandFailure("--node: \(owner) has \(Format.count(nodes, "node")), counted from 0")
        }
        var logs = logs
        logs.tail = tail
        try await print(logs, node.map { $0..<$0 + 1 } ?? 0..<nodes, session)
    }

    private func print(_ logs: LogClient, _ nodes: Range<Int>, _ session: Session) async throws {
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
