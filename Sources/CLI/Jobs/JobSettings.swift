import ArgumentParser

/// What trainings, tunings and templates have in common, by whatever command: settings, each of them optional here.
struct JobSettings: ParsableArguments {
    @Option(help: "What it is about.")
    var description: String?

    @Option(help: "The experiment, by name or id. A name that is new makes one.")
    var experiment: String?

    @Option(help: "The image, by alias, name or id (see: takumi image list).")
    var image: String?

    @Option(help: "The instance type, by name or id (see: takumi flavor list).")
    var instance: String?

    @Option(help: "How many nodes, 1 to 10; of a tuning, for each trial.")
    var nodes: Int?

    @Option(
        help: ArgumentHelp(
            "An input: the script finds it where EM_DATASET_{NAME} says. Can be repeated.", valueName: "name=place"))
    var data: [KeyValue] = []

    @Option(help: ArgumentHelp("A checkpoint to begin from.", valueName: "uri"))
    var checkpointInput: String?

    @Option(help: ArgumentHelp("Where checkpoints go.", valueName: "uri"))
    var checkpointOutput: String?

    @Option(help: ArgumentHelp("Where the model goes.", valueName: "uri"))
    var modelOutput: String?

    @Option(help: ArgumentHelp("End it after so many hours, 1 to 720. (default: 720)", valueName: "hours"))
    var timeout: Int?

    @Flag(inversion: .prefixedNo, help: "Start the script with torchrun (PyTorch).")
    var torchrun: Bool?

    @Option(help: "Processes on each node, with torchrun. (default: 1)")
    var nproc: Int?

    @Option(
        help: ArgumentHelp(
            "Storage for the data, in GB, 300 to 10000. Recorded only; nothing is set aside.", valueName: "gb"))
    var dataStorage: Int?

    @Flag(inversion: .prefixedNo, help: "Ask for log management. Recorded only; there is no searchable store yet.")
    var useLog: Bool?

    @Option(help: ArgumentHelp("A tag. Can be repeated.", valueName: "key=value"))
    var tag: [KeyValue] = []

    func validate() throws {
        try KeyValue.checkDatasets(data)
        try Self.check(nodes, 1...10, "--nodes")
        try Self.check(timeout, 1...720, "--timeout", "hours")
        try Self.check(nproc, 1...1024, "--nproc")
        try Self.check(dataStorage, 300...10_000, "--data-storage", "GB")
    }
}

/// The hyperparameters of a training, each with a value. Those of a tuning are `SearchSettings`.
struct Hyperparameters: ParsableArguments {
    @Option(
        help: ArgumentHelp("A hyperparameter; the script gets --KEY VALUE. Can be repeated.", valueName: "key=value"))
    var hp: [KeyValue] = []

    func validate() throws { try KeyValue.checkHyperparameters(hp) }
}

/// What a job that is not uploaded first starts.
struct JobProgram: ParsableArguments {
    @Option(help: ArgumentHelp("The folder of the code.", valueName: "uri"))
    var source: String?

    @Option(help: "The script to start, as a path in the source.")
    var entryPoint: String?
}

extension ParsableArguments {
    /// - Throws: a `ValidationError` that names the option, the value and the range.
    static func check(_ value: Int?, _ range: ClosedRange<Int>, _ option: String, _ unit: String = "") throws {
        guard let value, !range.contains(value) else { return }
        let bounds = "\(range.lowerBound) to \(range.upperBound)"
        throw ValidationError("\(option) \(value) is out of range; use \(bounds)\(unit.isEmpty ? "" : " \(unit)")")
    }
}
