import ArgumentParser

/// `takumi training …`
package struct TrainingCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "training", abstract: "Trainings: create, watch, stop, copy, delete.",
        discussion: "To train what lies in a local folder, see: takumi run --help",
        subcommands: [
            ListCommand<Trainings>.self, TrainingCreate.self, GetCommand<Trainings>.self, TrainingLogs.self,
            TrainingWait.self, StopCommand<Trainings>.self, TrainingCopy.self, UpdateCommand<Trainings>.self,
            DeleteCommand<Trainings>.self, EventsCommand<Trainings>.self, TrainingMetrics.self,
            OpenCommand<Trainings>.self,
        ])

    package init() {}
}

struct TrainingMetrics: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Show what a training uses of each node: CPU, memory, GPU.")

    @Argument(help: "Its name or id.")
    var name: String

    @Option(help: "Show at most this many samples of each node, the latest.")
    var tail = 20

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let item = try await session.find(Trainings.self, name)
        let reply = try await session.api.get("\(Trainings.path)/\(Trainings.id(item))/metrics")
        let nodes = reply["metrics"].array ?? []
        // A row knows which node it is of; json is for programs, which get all of it as it came.
        let rows = nodes.flatMap { node in
            (node["samples"].array ?? []).suffix(max(0, tail)).map {
                JSONValue.object(["node": node["node"], "of": $0])
            }
        }
        try session.print(
            session.format == .json ? nodes : rows, columns: columns,
            none: "no samples yet; they begin when the training runs")
    }

    private var columns: [Column] {
        [
            Column("TIME") { row in row["of"]["time"].int.map(Timestamp.local) ?? "" },
            Column("NODE", isNumber: true) { $0["node"].text },
            Column("CPU %", isNumber: true) { row in row["of"]["cpuPercent"].double.map { Format.fixed($0, 0) } ?? "" },
            Self.bytes("MEMORY", "memoryBytes"),
            Column("PROCESSES", isNumber: true) { $0["of"]["processCount"].text },
            Self.bytes("READ", "diskReadBytes"), Self.bytes("WRITTEN", "diskWriteBytes"),
            Self.bytes("RECEIVED", "networkReceiveBytes"), Self.bytes("SENT", "networkTransmitBytes"),
            Column("GPU %") { row in
                (row["of"]["gpus"].array ?? []).map { Format.fixed($0["utilization"].double ?? 0, 0) }
                    .joined(separator: " ")
            },
        ]
    }

    private static func bytes(_ title: String, _ field: String) -> Column {
        Column(title, isNumber: true, isOptional: title != "MEMORY") { row in
            row["of"][field].int.map(Format.bytes) ?? ""
        }
    }
}
