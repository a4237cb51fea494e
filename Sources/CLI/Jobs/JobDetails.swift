/// The lines of details that trainings, tunings and templates have in common.
enum JobDetails {
    typealias Line = (String, String)

    /// `2 × m2.c2m4`
    static func instance(_ item: JSONValue, nodes: Int) -> String {
        let type = item["flavor"]["name"].text
        return nodes > 1 ? "\(nodes) × \(type)" : type
    }

    /// - Parameter nodes: of a training, or of each trial.
    static func program(_ item: JSONValue, nodes: Int) -> [Line] {
        let processes = item["nprocPerNode"].int ?? 1
        return [
            ("experiment", item["experiment"]["experimentName"].text),
            ("image", item["image"]["imageName"].text),
            ("instance", instance(item, nodes: nodes)),
            (
                "torchrun",
                item["useTorchrun"].bool == true ? Format.count(processes, "process", "processes") + " a node" : ""
            ),
            ("source", item["sourceDirUri"].text),
            ("entry point", item["entryPoint"].text),
        ]
    }

    static func hyperparameters(_ item: JSONValue, title: String = "hyperparameters") -> [Line] {
        pairs(item, "hyperparameterList", "parameterName", "parameterValue", title: title)
    }

    /// Where a job reads and writes, and for how long.
    static func places(_ item: JSONValue) -> [Line] {
        pairs(item, "datasetList", "datasetName", "dataUri", title: "data") + [
            ("checkpoint input", item["checkPointInputUri"].text),
            ("checkpoint output", item["checkPointUploadUri"].text),
            ("model output", item["modelUploadUri"].text),
            ("time limit", item["timeoutMinutes"].int.map { Format.duration($0 * 60) } ?? ""),
            ("tensorboard", item["tensorboardAccessUri"].text),
        ]
    }

    /// What a tuning looks for, where, how, and until when.
    static func search(_ item: JSONValue) -> [Line] {
        let metrics = (item["metricList"].array ?? []).map { $0["name"].text }
        let state = item["tuningStrategyRandomState"].text
        let strategy = Format.state(item["searchStrategyCode"].string)
        return lines((item["hyperparameterSpecList"].array ?? []).map(SearchSpec.text), title: "search") + [
            ("objective", objective(item)),
            ("metrics", metrics.count > 1 ? metrics.joined(separator: ", ") : ""),
            ("strategy", strategy.isEmpty || state.isEmpty ? strategy : "\(strategy), random state \(state)"),
            ("early stopping", earlyStopping(item)),
            ("limits", limits(item)),
            ("parallel trials", item["parallelTrialCount"].text),
        ]
    }

    /// `maximize accuracy, until 0.99`
    private static func objective(_ item: JSONValue) -> String {
        // A request has it in an object, an answer does not.
        let metric = item["objectiveMetricName"].string ?? item["objectiveMetric"]["name"].text
        guard !metric.isEmpty else { return "" }
        let (direction, goal) = (item["objectiveTypeCode"].text.lowercased(), item["objectiveGoal"].text)
        let latest = item["objectiveStrategyCode"].string == "LATEST" ? ", the latest report of each trial" : ""
        return "\(direction) \(metric)\(latest)\(goal.isEmpty ? "" : ", until \(goal)")"
    }

    private static func earlyStopping(_ item: JSONValue) -> String {
        let rule = Format.state(item["earlyStoppingRuleCode"].string)
        let (trials, step) = (item["earlyStoppingMinTrialCount"].int, item["earlyStoppingStartStep"].text)
        return rule
            + (trials.map { ", after \(Format.count($0, "trial"))" } ?? "")
            + (step.isEmpty ? "" : ", from report \(step) on")
    }

    /// `20 trials, 3 failed, 1h 00m 00s`
    private static func limits(_ item: JSONValue) -> String {
        let limits = [
            item["maxTrialCount"].int.map { Format.count($0, "trial") },
            item["maxFailedTrialCount"].int.map { "\($0) failed" }, item["maxDurationSeconds"].int.map(Format.duration),
        ]
        return limits.compactMap { $0 }.joined(separator: ", ")
    }

    private static func pairs(
        _ item: JSONValue, _ list: String, _ key: String, _ value: String, title: String
    ) -> [Line] {
        lines((item[list].array ?? []).map { "\($0[key].text) = \($0[value].text)" }, title: title)
    }

    /// A line for each, the title before the first.
    private static func lines(_ texts: [String], title: String) -> [Line] {
        texts.enumerated().map { index, text in (index == 0 ? title : "", text) }
    }
}
