import ArgumentParser

/// `takumi training …`
package struct TrainingCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "training", abstract: "Trainings: create, watch, stop, copy, delete.",
        discussion: "To train what lies in a local folder, see: takumi run --help",
        subcommands: [
            ListCommand<Trainings>.self, TrainingCreate.self, GetCommand<Trainings>.self, TrainingLogs.self,
            TrainingWait.self, TrainingStop.self, TrainingCopy.self, UpdateCommand<Trainings>.self,
            DeleteCommand<Trainings>.self, EventsCommand<Trainings>.self, TrainingMetrics.self, TrainingOpen.self,
        ])

    package init() {}
}

struct TrainingStop: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop trainings that run. This cannot be cancelled.")

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var client: ClientOptions

    func run(_ session: Session) async throws {
        var items: [JSONValue] = []
        for name in names { items.append(try await session.find(Trainings.self, name)) }
        let question = items.count == 1 ? Trainings.label(items[0]) : "\(items.count) trainings"
        try session.console.confirm("Stop \(question)?", assumed: yes)
        for (index, item) in items.enumerated() {
            let reply = try await session.api.call(.PUT, "\(Trainings.path)/\(Trainings.id(item))/stop")
            items[index] = Trainings.single(reply, else: item)
            session.console.note("asked to stop \(Trainings.label(item))")
        }
        if session.format == .json { try session.printJSON(items.count == 1 ? items[0] : .array(items)) }
    }
}

struct TrainingOpen: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Print the address of a training's TensorBoard.")

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup var client: ClientOptions

    func run(_ session: Session) async throws {
        let view = TrainingView(try await session.find(Trainings.self, name))
        guard let uri = view.tensorboard else {
            throw CommandFailure("training '\(view.name)' has no TensorBoard; it is \(Format.state(view.code))")
        }
        let address = uri.hasPrefix("/") ? session.api.connection.url + uri : uri
        switch session.format {
        case .json: try session.printJSON(.object(["tensorboardAccessUri": .string(address)]))
        case .table: session.console.out(address)
        }
    }
}

struct TrainingMetrics: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Show what a training uses of each node: CPU, memory, GPU.")

    @Argument(help: "Its name or id.")
    var name: String

    @Option(help: "Show at most this many samples, the latest.")
    var tail = 20

    @OptionGroup var client: ClientOptions

    func run(_ session: Session) async throws {
        let item = try await session.find(Trainings.self, name)
        let reply = try await session.api.get("\(Trainings.path)/\(Trainings.id(item))/metrics")
        let samples = reply["metricList"].array ?? []
        // json is for programs, which can count themselves.
        let shown = session.format == .json ? samples : samples.suffix(max(0, tail))
        try session.print(shown, columns: columns, none: "no samples yet; they begin when the training runs")
    }

    private var columns: [Column] {
        [
            Column("TIME") { sample in sample["time"].int.map(Timestamp.local) ?? Timestamp.local(sample["time"].string)
            },
            Column("NODE", isNumber: true) { $0["node"].text },
            Column("CPU %", isNumber: true) { sample in sample["cpuPercent"].double.map { Format.fixed($0, 0) } ?? "" },
            Column("MEMORY", isNumber: true) { sample in sample["memoryBytes"].int.map(Format.bytes) ?? "" },
            Column("PROCESSES", isNumber: true) { $0["processCount"].text },
            Column("READ", isNumber: true) { sample in sample["diskReadBytes"].int.map(Format.bytes) ?? "" },
            Column("WRITTEN", isNumber: true) { sample in sample["diskWriteBytes"].int.map(Format.bytes) ?? "" },
            Column("GPU %") { sample in
                (sample["gpus"].array ?? []).map { Format.fixed($0["utilization"].double ?? 0, 0) }.joined(
                    separator: " ")
            },
        ]
    }
}
