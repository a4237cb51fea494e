import ArgumentParser

/// `takumi tuning …`
package struct TuningCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "tuning", abstract: "Search for the best hyperparameters: many trials of one script.",
        discussion: """
            takumi tuning create iris --source easymaker/iris --entry-point train.py --image pytorch \\
                --instance m2.c2m4 --model-output easymaker/models/iris --search lr=double:0.001..0.1:log \\
                --search epochs=int:10..50:10 --maximize accuracy --max-trials 20 --parallel 2 --wait

            Each trial gets --lr VALUE --epochs VALUE, and prints what it has reached as: accuracy = 0.93
            """,
        subcommands: [
            ListCommand<Tunings>.self, TuningCreate.self, GetCommand<Tunings>.self, TuningWait.self,
            StopCommand<Tunings>.self, TuningResume.self, TuningTrials.self, TuningLogs.self, TuningImportance.self,
            TuningCopy.self, UpdateCommand<Tunings>.self, DeleteCommand<Tunings>.self, EventsCommand<Tunings>.self,
            OpenCommand<Tunings>.self,
        ])

    package init() {}
}

struct TuningWait: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until a hyperparameter tuning has ended; say how many trials have.",
        discussion: "Ends with 0 where it is COMPLETE, with 1 otherwise.")

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        try await TuningWatch(session: session).follow(TuningView(try await session.read(Tunings.self, name)))
    }
}

struct TuningResume: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Raise the limits of a hyperparameter tuning that has ended, and go on.",
        discussion: "It goes on with what its trials have found.")

    @Argument(help: "Its name or id.")
    var name: String

    @Option(help: ArgumentHelp("End after so many trials, those that have ended included.", valueName: "count"))
    var maxTrials: Int?

    @Option(
        help: ArgumentHelp("Fail after so many failed trials, those that have failed included.", valueName: "count"))
    var maxFailed: Int?

    @Option(help: ArgumentHelp("End so many seconds after it goes on.", valueName: "seconds"))
    var maxDuration: Int?

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        if maxTrials == nil, maxFailed == nil, maxDuration == nil {
            throw ValidationError("nothing to raise; use --max-trials, --max-failed or --max-duration")
        }
    }

    func run(_ session: Session) async throws {
        let item = try await session.find(Tunings.self, name)
        let body = JSONValue.fields([
            "maxTrialCount": .int(maxTrials), "maxFailedTrialCount": .int(maxFailed),
            "maxDurationSeconds": .int(maxDuration),
        ])
        let reply = try await session.api.call(.PUT, "\(Tunings.path)/\(Tunings.id(item))/resume", body: body)
        try session.print(Tunings.single(reply, else: item), details: Tunings.details)
    }
}

struct TuningImportance: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "importance", abstract: "Show how much each hyperparameter matters for the objective.")

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let item = try await session.find(Tunings.self, name)
        let importance = try await session.api.get("\(Tunings.path)/\(Tunings.id(item))/importance")["importance"]
        if session.format == .json { return session.printJSON(importance) }
        try session.print(
            Self.rows(importance), columns: columns, none: importance["reason"].string ?? "nothing is known yet")
    }

    /// What matters most comes first.
    static func rows(_ importance: JSONValue) -> [JSONValue] {
        guard case .object(let values) = importance["importances"] else { return [] }
        let known = values.map { (name: $0.key, value: $0.value.double ?? 0) }
        return known.sorted { ($1.value, $0.name) < ($0.value, $1.name) }.map {
            .object(["name": .string($0.name), "value": .double($0.value)])
        }
    }

    private var columns: [Column] {
        [
            Column("NAME", isFlexible: true) { $0["name"].text },
            Column("IMPORTANCE", isNumber: true) { Format.fixed($0["value"].double ?? 0, 3) },
        ]
    }
}
