import ArgumentParser
import Resource

struct ModelCreate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a model: from files, a training, or the best trial of a tuning.",
        discussion: """
            takumi model create iris --format sklearn --path ./iris.joblib
            takumi model create iris --training iris-1
            takumi model create iris --tuning iris-search --parameter threads=2
            takumi model create tiny --format hugging-face --path easymaker/models/tiny

            A local file or folder is uploaded to models/NAME in the project's container first. The name becomes a part of \
            the address that serves it.
            """)

    @Argument(help: "Its name, of at most 50 characters.")
    var name: String

    @Option(help: "How its files are made. (default: by the framework of the training)")
    var format: ModelFormat?

    @Option(help: "Its files: a local file or folder, CONTAINER/PATH, or an obs:// or nas:// URI.")
    var path: String?

    @Option(help: "Make it from what this training has left, by name or id.")
    var training: String?

    @Option(help: "Make it from the best trial of this hyperparameter tuning, by name or id.")
    var tuning: String?

    @Option(
        help: ArgumentHelp(
            "A parameter: what serves the model gets --KEY VALUE, and KEY in its environment. Can be repeated.",
            valueName: "key=value"))
    var parameter: [KeyValue] = []

    @Option(help: "What it is about.")
    var description: String?

    @Option(help: ArgumentHelp("A tag. Can be repeated.", valueName: "key=value"))
    var tag: [KeyValue] = []

    @Flag(inversion: .prefixedNo, help: "Wait until it can be served, which takes no time to speak of.")
    var wait = true

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        var problems = Validator()
        problems.name(name, "NAME")
        problems.require(
            ![".", ".."].contains(name), "NAME", "'\(name)' cannot be a part of an address; choose another")
        problems.length(description, "--description", limit: Limits.description)
        problems.count(tag.count, "--tag", limit: Limits.tags)
        checkParameters(&problems)
        if let problem = problems.problems.first { throw ValidationError(problem.line) }
        try checkOrigin()
    }

    private func checkOrigin() throws {
        let origins = [("--path", path), ("--training", training), ("--tuning", tuning)].filter { $0.1 != nil }
        if origins.count > 1 {
            let given = origins.map(\.0).joined(separator: " and ")
            throw ValidationError("\(given) exclude each other; a model is made from one of them")
        }
        // The vendor's word for a model that is fetched from the hub.
        let isByID = format == .huggingFace && parameter.contains { $0.key.lowercased().hasSuffix("model_id") }
        if origins.isEmpty, !isByID {
            throw ValidationError("which files? give --path, or what has made them with --training or --tuning")
        }
        if training == nil, tuning == nil, format == nil {
            let formats = ModelFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("which --format are its files of? \(formats)")
        }
    }

    /// The API's limits, found before anything is uploaded.
    private func checkParameters(_ problems: inout Validator) {
        problems.count(parameter.count, "--parameter", limit: 10)
        var seen: Set<String> = []
        for pair in parameter {
            let option = "--parameter \(pair.key.excerpt)"
            problems.length(pair.key, option, limit: 64)
            problems.length(pair.value, option, limit: 255)
            problems.require(!pair.key.contains(where: \.isWhitespace), option, "a name has no spaces")
            problems.require(
                seen.insert(pair.key.uppercased()).inserted, option, "is given twice (capitals do not count)")
        }
    }

    func run(_ session: Session) async throws {
        // What is named is looked for before the first byte goes up.
        let place = try path.map { try ModelPlace($0) }
        let (training, tuning) = (
            try await id(of: Trainings.self, training, session), try await id(of: Tunings.self, tuning, session)
        )
        let body = JSONValue.fields([
            "modelName": .string(name), "modelFormatCode": .string(format?.code), "description": .string(description),
            "modelUploadUri": .string(try await place?.uri(for: name, session)), "trainingId": .string(training),
            "hyperparameterTuningId": .string(tuning),
            "parameterList": .array(
                parameter.map { .object(["parameterName": .string($0.key), "parameterValue": .string($0.value)]) }),
            "tagList": TagChange.wire(tag),
        ])
        let made = try await OptionNames.model.blaming {
            try await session.api.call(.POST, Models.path, body: body)[Models.singular]
        }
        let model = wait ? try await Models.settled(made, session) : made
        try session.print(model, details: Models.details)
        if Models.hasFailed(model) { throw ExitCode(ExitStatus.failure) }
    }

    private func id<N: Noun>(of noun: N.Type, _ word: String?, _ session: Session) async throws -> String? {
        guard let word else { return nil }
        return N.id(try await session.find(N.self, word))
    }
}
