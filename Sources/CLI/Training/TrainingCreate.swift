import ArgumentParser

struct TrainingCreate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a training from code and data that are in storage already.")

    @Argument(help: "Its name, of at most 50 characters.")
    var name: String

    @Option(help: "Begin with the settings of this template, by name or id.")
    var template: String?

    @OptionGroup var program: JobProgram

    @OptionGroup(title: "Settings") var parameters: Hyperparameters

    @OptionGroup(title: "Settings") var settings: JobSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        guard template == nil else { return }
        let missing = JobRequest().missing(settings, program)
        if !missing.isEmpty { throw ValidationError("a training needs \(missing.joined(separator: ", "))") }
    }

    func run(_ session: Session) async throws {
        var body = try await JobRequest(training: template, session)
        try body.checkComplete("a training", body.missing(settings, program), template)
        try await body.apply(body.inExperiment(settings), program, session)
        body.apply(parameters)
        try session.print(try await Trainings.create(name, body, session), details: Trainings.details)
    }
}

struct TrainingCopy: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Create a training with the settings of another, those changed that are given.")

    @Argument(help: "The one to copy, by name or id.")
    var original: String

    @Option(help: "The name of the new one. (default: that of the original, and -copy)")
    var name: String?

    @OptionGroup var program: JobProgram

    @OptionGroup(title: "Settings") var parameters: Hyperparameters

    @OptionGroup(title: "Settings") var settings: JobSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let training = try await session.read(Trainings.self, original)
        var body = JobRequest(copying: training)
        try await body.apply(settings, program, session)
        body.apply(parameters)
        let copy = try await Trainings.create(name ?? Trainings.copyName(training), body, session)
        try session.print(copy, details: Trainings.details)
        if settings.modelOutput == nil { session.console.note(JobRequest.sameOutput) }
    }
}

extension Trainings {
    /// - Returns: what the server has made of it.
    static func create(_ name: String, _ body: JobRequest, _ session: Session) async throws -> JSONValue {
        let json = body.json.with("trainingName", .string(name)).with("trainingTypeCode", .string("NORMAL"))
        return try await session.api.call(.POST, path, body: json)[singular]
    }
}
