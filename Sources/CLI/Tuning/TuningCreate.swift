import ArgumentParser

struct TuningCreate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a hyperparameter tuning from code and data that are in storage already.")

    @Argument(help: "Its name, of at most 50 characters.")
    var name: String

    @Option(help: "Begin with the settings of this template, by name or id.")
    var template: String?

    @OptionGroup var program: JobProgram

    @Flag(help: "Wait for its end, as takumi tuning wait does.")
    var wait = false

    @OptionGroup(title: "Search") var search: SearchSettings

    @OptionGroup(title: "Settings") var settings: JobSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        try search.check(with: settings)
        guard template == nil else { return }
        let missing = JobRequest().missing(settings, program) + JobRequest().missing(search)
        if !missing.isEmpty { throw ValidationError("a tuning needs \(missing.joined(separator: ", "))") }
        try search.checkWholeness()
    }

    func run(_ session: Session) async throws {
        var body = try await JobRequest(tuning: template, session)
        try body.checkComplete("a tuning", body.missing(settings, program) + body.missing(search), template)
        try await body.apply(body.inExperiment(settings), program, session)
        body.apply(search)
        try await TuningWatch(session: session).show(try await Tunings.create(name, body, session), wait: wait)
    }
}

struct TuningCopy: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Create a hyperparameter tuning with the settings of another, those changed that are given.")

    @Argument(help: "The one to copy, by name or id.")
    var original: String

    @Option(help: "The name of the new one. (default: that of the original, and -copy)")
    var name: String?

    @OptionGroup var program: JobProgram

    @Flag(help: "Wait for its end, as takumi tuning wait does.")
    var wait = false

    @OptionGroup(title: "Search") var search: SearchSettings

    @OptionGroup(title: "Settings") var settings: JobSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws { try search.check(with: settings) }

    func run(_ session: Session) async throws {
        let tuning = try await session.read(Tunings.self, original)
        var body = JobRequest(copying: tuning)
        try await body.apply(settings, program, session)
        body.apply(search)
        let copy = try await Tunings.create(name ?? Tunings.copyName(tuning), body, session)
        if settings.modelOutput == nil { session.console.note(JobRequest.sameOutput) }
        try await TuningWatch(session: session).show(copy, wait: wait)
    }
}
