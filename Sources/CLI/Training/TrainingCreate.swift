import ArgumentParser
import Resource

struct TrainingCreate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a training from code and data that are in storage already.")

    @Argument(help: "Its name, of at most 50 characters.")
    var name: String

    @Option(help: ArgumentHelp("The folder of the code.", valueName: "uri"))
    var source: String?

    @Option(help: "The script to start, as a path in the source.")
    var entryPoint: String?

    @OptionGroup(title: "Settings") var settings: TrainingSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        let missing = [
            ("--source", source), ("--entry-point", entryPoint), ("--image", settings.image),
            ("--instance", settings.instance), ("--model-output", settings.modelOutput),
        ].filter { $0.1 == nil }.map(\.0)
        if !missing.isEmpty { throw ValidationError("a training needs \(missing.joined(separator: ", "))") }
    }

    func run(_ session: Session) async throws {
        var settings = settings
        settings.experiment = settings.experiment ?? "default"
        var body = TrainingBody()
        body.set("trainingName", name)
        body.set("sourceDirUri", try await settings.place(with: source, session))
        body.set("entryPoint", entryPoint)
        body.apply(settings)
        try await body.resolve(settings, session)
        let reply = try await session.api.call(.POST, Trainings.path, body: body.json)
        try session.print(reply["training"], details: Trainings.details)
    }
}

struct TrainingCopy: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Create a training with the settings of another, those changed that are given.")

    @Argument(help: "The one to copy, by name or id.")
    var original: String

    @Option(help: "The name of the new one. (default: that of the original, and -copy)")
    var name: String?

    @Option(help: ArgumentHelp("The folder of the code.", valueName: "uri"))
    var source: String?

    @Option(help: "The script to start, as a path in the source.")
    var entryPoint: String?

    @OptionGroup(title: "Settings") var settings: TrainingSettings

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let found = try await session.find(Trainings.self, original)
        let training = Trainings.single(
            try await session.api.get("\(Trainings.path)/\(Trainings.id(found))"), else: found)
        var settings = settings
        var body = TrainingBody(copying: training)
        body.set("trainingName", name ?? Self.copyName(Trainings.name(training)))
        body.set("sourceDirUri", try await settings.place(with: source, session))
        body.set("entryPoint", entryPoint)
        body.apply(settings)
        try await body.resolve(settings, session)
        let reply = try await session.api.call(.POST, Trainings.path, body: body.json)
        try session.print(reply["training"], details: Trainings.details)
        if settings.modelOutput == nil {
            session.console.note("its model goes where the original's is; for another place: --model-output")
        }
    }

    static func copyName(_ name: String) -> String { String(name.prefix(Limits.name - 5)) + "-copy" }
}
