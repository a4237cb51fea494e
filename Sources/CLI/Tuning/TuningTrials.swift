import ArgumentParser

struct TuningTrials: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "trials", abstract: "List the trials of a hyperparameter tuning, newest first.")

    @Argument(help: "Its name or id.")
    var name: String

    @Option(help: ArgumentHelp("Only so many, the best first, by the objective.", valueName: "count"))
    var best: Int?

    @Option(help: "Show at most this many.")
    var limit = 50

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit \(limit) shows nothing; use 1 or more") }
        if let best, best < 1 { throw ValidationError("--best \(best) shows nothing; use 1 or more") }
    }

    func run(_ session: Session) async throws {
        let tuning = TuningView(try await session.find(Tunings.self, name))
        var query = [(Tunings.singular + "Id", tuning.id)]
        // The best ones may be anywhere among them.
        if best == nil { query.append(("limit", String(limit))) }
        var trials = Trials.list(try await session.api.get(Trials.path, query))
        if let best { trials = Trials.best(best, of: trials, isMinimized: tuning.isMinimized) }
        let what = best == nil ? "trials" : "trials with a value"
        try session.print(
            trials, columns: Trials.columns, none: "\(Tunings.title) '\(tuning.name)' has no \(what) yet")
        if best == nil, trials.count == limit {
            session.console.note("the newest \(limit) are shown; there may be more (--limit)")
        }
    }
}

struct TuningLogs: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "logs", abstract: "Print the log of one trial.")

    @Argument(help: "The hyperparameter tuning, by name or id.")
    var tuning: String

    @Argument(help: "The trial, by number, name or id, or as best.")
    var trial: String

    @OptionGroup var log: LogOptions

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let view = TuningView(try await session.find(Tunings.self, tuning))
        let item = try await Trials.find(trial, of: view, session)
        try await log.print(
            .trial(Trials.id(item), session.api), nodes: view.nodes, of: "trial '\(Trials.name(item))'", session)
    }
}

extension LogClient {
    static func trial(_ id: String, _ api: API) -> LogClient {
        LogClient(api: api, path: "\(Trials.path)/\(id)") { Trials.isSettled($0[Trials.singular]) }
    }
}
