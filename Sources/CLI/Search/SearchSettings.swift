import ArgumentParser

/// What a tuning has beside the settings of a job: what to search, for what, how, and until when. Each is optional here.
struct SearchSettings: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A hyperparameter and its values: lr=double:0.001..0.1:log, n=int:1..9:2, opt=categorical:sgd,adam or \
            bs=discrete:16,32,64. Can be repeated.
            """, valueName: "name=spec"),
        transform: { try SearchSpec($0) })
    var search: [SearchSpec] = []

    @Option(help: ArgumentHelp("Look for the largest value of this metric.", valueName: "metric"))
    var maximize: String?

    @Option(help: ArgumentHelp("Look for the smallest value of this metric.", valueName: "metric"))
    var minimize: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("End when the metric has this value.", valueName: "value"))
    var goal: Double?

    @Option(help: ArgumentHelp("A further metric to record. Can be repeated.", valueName: "metric"))
    var metric: [String] = []

    @Option(
        help: ArgumentHelp(
            "How metrics stand in the log: its first group is the name, its second the value. (default: name = value)",
            valueName: "regex"))
    var metricRegex: String?

    @Option(help: "Which of a trial's reports counts. (default: best)")
    var objectiveStrategy: ObjectiveStrategy?

    @Option(help: "How the next values are found. (default: bayesian)")
    var strategy: TuningStrategy?

    @Option(help: ArgumentHelp("The same number, the same suggestions. (default: one is drawn)", valueName: "number"))
    var randomState: Int?

    @Option(help: ArgumentHelp("End after so many trials. A grid ends by itself.", valueName: "count"))
    var maxTrials: Int?

    @Option(help: ArgumentHelp("Fail after so many failed trials. (default: 3)", valueName: "count"))
    var maxFailed: Int?

    @Option(help: ArgumentHelp("How many trials run at a time, 1 to 10. (default: 1)", valueName: "count"))
    var parallel: Int?

    @Option(help: ArgumentHelp("End after so many seconds.", valueName: "seconds"))
    var maxDuration: Int?

    @Option(help: "End trials that do worse than others; none where a copy or a template is not to.")
    var earlyStopping: EarlyStopping?

    @Option(help: ArgumentHelp("Early stopping begins after so many trials. (default: 3)", valueName: "count"))
    var minTrials: Int?

    @Option(help: ArgumentHelp("Early stopping looks from this report of a trial on. (default: 4)", valueName: "count"))
    var startStep: Int?

    func validate() throws {
        if maximize != nil, minimize != nil {
            throw ValidationError("--maximize and --minimize exclude each other; give one of them")
        }
        if let goal, !goal.isFinite { throw ValidationError("--goal \(goal) is out of range; give a number") }
        try Self.check(parallel, 1...10, "--parallel")
        try Self.check(maxTrials, 1...100_000, "--max-trials")
        try Self.check(maxFailed, 1...100_000, "--max-failed")
        try Self.check(maxDuration, 1...2_592_000, "--max-duration", "seconds")
        try Self.check(randomState, 0...4_294_967_295, "--random-state")
        try Self.check(minTrials, 1...100_000, "--min-trials")
        try Self.check(startStep, 1...1000, "--start-step")
        if let maxFailed, let maxTrials, maxFailed > maxTrials {
            throw ValidationError(
                "--max-failed \(maxFailed) is above --max-trials \(maxTrials); use \(maxTrials) or less")
        }
        try checkNames()
    }

    private func checkNames() throws {
        var seen: Set<String> = []
        for spec in search {
            if !seen.insert(spec.name.uppercased()).inserted {
                throw ValidationError("--search \(spec.name) is given twice (capitals do not count); give it once")
            }
            if strategy == .grid, spec.isEndless {
                throw ValidationError(
                    "--search \(spec.name): a grid needs a step here, such as \(spec.name)=double:0..1:0.1")
            }
        }
    }

    /// The metric, and the wire's word for its direction.
    var objective: (metric: String, direction: String)? {
        if let maximize { return (maximize, "MAXIMIZE") }
        if let minimize { return (minimize, "MINIMIZE") }
        return nil
    }

    /// - Throws: a `ValidationError` where the two do not go together.
    func check(with settings: JobSettings) throws {
        guard let nodes = settings.nodes, let parallel, nodes * parallel > 10 else { return }
        throw ValidationError(
            "--nodes \(nodes) × --parallel \(parallel) are \(nodes * parallel) instances; at most 10 are allowed")
    }

    /// - Throws: a `ValidationError` for what has no effect without an option that is not given.
    func checkWholeness() throws {
        guard earlyStopping == nil else { return }
        for (value, option) in [(minTrials, "--min-trials"), (startStep, "--start-step")] where value != nil {
            throw ValidationError("\(option) is for early stopping; add --early-stopping, or leave it out")
        }
    }
}

enum TuningStrategy: String, ExpressibleByArgument, CaseIterable, Sendable {
    case grid
    case random
    case bayesian
    case gaussianProcess = "gaussian-process"
    case cmaEs = "cma-es"

    var code: String {
        switch self {
        case .grid: "GRID"
        case .random: "RANDOM"
        case .bayesian: "BAYESIAN_OPTIMIZATION"
        case .gaussianProcess: "GAUSSIAN_PROCESS"
        case .cmaEs: "CMA_ES"
        }
    }
}

enum ObjectiveStrategy: String, ExpressibleByArgument, CaseIterable, Sendable {
    case best
    case latest
}

enum EarlyStopping: String, ExpressibleByArgument, CaseIterable, Sendable {
    case median
    case medianKatib = "median-katib"
    case asha
    case off = "none"

    /// nil for none.
    var code: String? {
        switch self {
        case .median: "MEDIAN"
        case .medianKatib: "MEDIAN_KATIB"
        case .asha: "ASHA"
        case .off: nil
        }
    }
}
