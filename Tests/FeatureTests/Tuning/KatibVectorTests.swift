import FeatureKit
import Foundation
import Resource
import Testing

@testable import JobKit
@testable import Telemetry
@testable import TuningFeature

/// A JSON value of the vectors, whose shapes differ by kind.
@dynamicMemberLookup
enum Vector: Decodable, Equatable, Sendable, CustomTestStringConvertible {
    case object([String: Vector])
    case list([Vector])
    case text(String)
    case number(Double)
    case bool(Bool)
    case null

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([Vector].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: Vector].self))
        }
    }

    subscript(dynamicMember name: String) -> Vector { self[name] }
    subscript(name: String) -> Vector { if case .object(let members) = self { members[name] ?? .null } else { .null } }
    var members: [String: Vector] { if case .object(let members) = self { members } else { [:] } }
    var items: [Vector] { if case .list(let items) = self { items } else { [] } }
    var string: String? { if case .text(let text) = self { text } else { nil } }
    var double: Double? { if case .number(let number) = self { number } else { nil } }
    var int: Int? { double.flatMap { Int(exactly: $0) } }
    var boolean: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// Named after where it comes from.
    var testDescription: String {
        [self["source"], self["input"]["case"]].compactMap(\.string).joined(separator: ", ")
    }

    /// Empty where the file cannot be read, which `everyKindIsLookedAt` notices.
    static let all: [Vector] = {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Support/Vectors/katib_vectors.json").standardized
        let file = (try? Data(contentsOf: path)).flatMap { try? JSONDecoder().decode(Vector.self, from: $0) }
        return file?.vectors.items ?? []
    }()

    static func of(_ kind: String) -> [Vector] { all.filter { $0.kind.string == kind } }
}

/// What Katib does, case by case (shared/vectors). Not taken over: its Kubernetes trial templates, metrics in JSON files, and
/// rules about other metrics than the objective.
@Suite struct KatibVectorTests {
    @Test func everyKindIsLookedAt() {
        let kinds = Set(Vector.all.compactMap(\.kind.string))
        #expect(
            kinds == [
                "observation_from_logs", "collect_observation_log", "metric_value_for_strategy", "search_space_goptuna",
                "validate_parameters", "trial_template", "default_metric_strategies", "medianstop_rules",
                "medianstop_validate", "stop_rules", "grid_enumeration", "validate_algorithm_settings",
                "experiment_status", "trials_to_add",
            ])
    }

    // MARK: - Metrics

    private static let texts = Vector.of("collect_observation_log").filter {
        $0.input.format == .text("TEXT") && $0.expected.error == .null
    }

    @Test(arguments: texts)
    func collectsMetricsFromALog(_ vector: Vector) throws {
        let metrics = vector.input.metrics.items.compactMap(\.string)
        let pattern = try MetricPattern(vector.input.filters.items.first?.string ?? MetricPattern.standard)
        var found = (vector.input.data.string ?? "").split(separator: "\n")
            .flatMap { pattern.reports(in: String($0), of: metrics) }
        if !found.contains(where: { $0.name == metrics[0] }) {
            // Katib's word for an objective that never appeared, in place of all reports.
            found = [MetricPattern.Report(name: metrics[0], text: "unavailable", time: nil)]
        }
        let expected = vector.expected.logs.items.map { log in
            let time = log.timestamp.string ?? ""
            return MetricPattern.Report(
                name: log.name.string ?? "", text: log.value.string ?? "",
                time: time == "0001-01-01T00:00:00Z" ? nil : time)
        }
        #expect(found == expected)
    }

    @Test func thereAreManyTextLogs() { #expect(KatibVectorTests.texts.count >= 20) }

    @Test(arguments: Vector.of("observation_from_logs"))
    func summarisesReports(_ vector: Vector) {
        for name in vector.input.strategies.members.keys {
            var observation = MetricObservation(name: name)
            for log in vector.input.logs.items where log.name.string == name {
                observation.add(log.value.string ?? "", time: log.timestamp.string)
            }
            let summary = observation.summary
            if vector.expected.error == .bool(true) { continue }
            let expected = vector.expected[name]
            #expect(summary.minimum ?? "unavailable" == expected.min.string)
            #expect(summary.maximum ?? "unavailable" == expected.max.string)
            #expect(summary.latest == expected.latest.string)
        }
        if vector.expected.error == .bool(true) {
            // A stamp that is none, which Katib refuses, must not lose the value: the line's own time is taken.
            #expect(vector.input.logs.items.contains { MetricTime($0.timestamp.string ?? "") == nil })
        }
    }

    @Test(arguments: Vector.of("metric_value_for_strategy"))
    func choosesByStrategy(_ vector: Vector) throws {
        for (name, strategy) in vector.input.strategies.members {
            let observed = vector.input.observation[name]
            func text(_ value: Vector) -> String? { value.string == "unavailable" ? nil : value.string }
            let summary = MetricSummary(
                name: name, minimum: text(observed.min), maximum: text(observed.max),
                latest: observed.latest.string ?? "", count: 1)
            let chosen = try #require(MetricStrategy(rawValue: (strategy.string ?? "").uppercased()))
            #expect(chosen.text(summary) == vector.expected[name].string)
        }
    }

    @Test(arguments: Vector.of("default_metric_strategies"))
    func takesTheBestByDefault(_ vector: Vector) throws {
        let direction = try #require(Objective.Direction(rawValue: (vector.input.type.string ?? "").uppercased()))
        let given = Set(vector.input.metricStrategies.items.compactMap { $0.items.first?.string })
        for pair in vector.expected.items where !given.contains(pair.items[0].string ?? "") {
            #expect(MetricStrategy(for: direction).rawValue.lowercased() == pair.items[1].string)
        }
    }

    // MARK: - Search space

    private func parameter(_ vector: Vector, name: String = "a") -> SearchBody.Parameter {
        var body = SearchBody.Parameter(SearchParameter(name: name, space: .categorical([])))
        let space = vector.feasibleSpace == .null ? vector : vector.feasibleSpace
        body.hyperparameterName = vector.name.string ?? name
        body.hyperparameterTypeCode = (vector.parameterType == .null ? vector.type : vector.parameterType).string
        body.hyperparameterMinValue = space.min.string.map(NumberText.init)
        body.hyperparameterMaxValue = space.max.string.map(NumberText.init)
        body.hyperparameterStep = space.step.string.map(NumberText.init)
        body.hyperparameterSpecifiedValues =
            space.list == .null ? nil : space.list.items.compactMap(\.string).joined(separator: ",")
        body.hyperparameterScale = space.distribution.string
        return body
    }

    @Test(arguments: Vector.of("search_space_goptuna"))
    func readsTheSpace(_ vector: Vector) throws {
        var validator = Validator()
        let found = SearchParameter.validated([parameter(vector.input)], strategy: .bayesian, &validator)
        try validator.check()
        let expected = vector.expected
        switch try #require(found.first).space {
        case .double(let range, let step, _):
            #expect(expected.dist.string == (step == nil ? "uniform" : "discrete_uniform"))
            #expect(range.lowerBound == expected.low.double && range.upperBound == expected.high.double)
            #expect(step == expected.q.double)
        case .int(let range, let step, _):
            #expect(expected.dist.string == (step == 1 ? "int_uniform" : "step_int_uniform"))
            #expect(range.lowerBound == expected.low.int && range.upperBound == expected.high.int)
            #expect(step == expected.step.int ?? 1)
        case .discrete(let values), .categorical(let values):
            #expect(expected.dist.string == "categorical")
            #expect(values == expected.choices.items.compactMap(\.string))
        }
    }

    @Test(arguments: Vector.of("validate_parameters"))
    func refusesWhatKatibRefuses(_ vector: Vector) {
        var validator = Validator()
        _ = SearchParameter.validated(
            vector.input.parameters.items.map { parameter($0) }, strategy: .random, &validator)
        guard let error = vector.expected.error.string else {
            #expect(validator.problems.isEmpty)
            return
        }
        let index = error.contains("[1]") ? 1 : 0
        #expect(validator.problems.first?.field?.hasPrefix("hyperparameterSpecList[\(index)]") == true)
    }

    @Test(arguments: Vector.of("grid_enumeration"))
    func enumeratesTheGrid(_ vector: Vector) throws {
        var validator = Validator()
        let bodies = vector.input.parameters.items.map { parameter($0) }
        let parameters = SearchParameter.validated(bodies, strategy: .grid, &validator)
        if vector.expected.error.string != nil {
            #expect(validator.problems.first?.field == "hyperparameterSpecList[0].hyperparameterStep")
            return
        }
        try validator.check()
        #expect(SearchParameter.combinations(parameters) == vector.expected.combinations.int)
        for parameter in parameters {
            #expect(parameter.grid == vector.expected.values[parameter.name].items.compactMap(\.string))
            #expect(parameter.gridCount == parameter.grid?.count)
        }
    }

    // MARK: - The end

    private func spec(_ objective: Vector, parallel: Int = 1) -> TuningSpec {
        let direction = Objective.Direction(rawValue: (objective.type.string ?? "maximize").uppercased()) ?? .maximize
        return TuningSpec(
            experimentID: "e",
            job: JobSpec(imageID: "i", flavorID: "f", source: "s", entryPoint: "t.py", modelOutput: "m"),
            strategy: .random, randomState: 1, parameters: [], metrics: ["m"], metricPattern: MetricPattern.standard,
            objective: Objective(
                metric: "m", direction: direction, goal: objective.goal.double, strategy: MetricStrategy(for: direction)
            ),
            maxFailedTrials: objective.maxFailed.int ?? Int.max, maxTrials: objective.maxTrials.int,
            parallelTrials: parallel, earlyStopping: nil, maxDuration: nil, runName: "r")
    }

    private static let phases: [String: TrialPhase] = [
        "succeeded": .succeeded, "failed": .failed, "running": .running, "killed": .killed,
        "earlystopped": .earlyStopped, "metricsunavailable": .metricsUnavailable, "pending": .created,
    ]

    @Test(arguments: Vector.of("experiment_status"))
    func endsInKatibsOrder(_ vector: Vector) {
        let spec = spec(vector.input.objective)
        var counts = TrialCounts()
        var best: (index: Int, value: Double)?
        for (index, trial) in vector.input.trials.items.enumerated() {
            counts.add(KatibVectorTests.phases[trial.state.string ?? ""] ?? .created)
            guard let value = trial.value.string.flatMap(MetricObservation.number) else { continue }
            if best.map({ spec.objective.isBetter(value, than: $0.value) }) ?? true { best = (index, value) }
        }
        let expected = vector.expected.counts
        for (name, count) in expected.members where name != "running" && name != "pending" {
            #expect(counts[KatibVectorTests.phases[name] ?? .created] == count.int)
        }
        #expect(counts.active == (expected.running.int ?? 0) + (expected.pending.int ?? 0))
        // A text that is no number is no value to us; Katib takes the last such trial for the best.
        let hasNumbers = vector.input.trials.items.allSatisfy { trial in
            trial.value.string.map { MetricObservation.number($0) != nil } ?? true
        }
        if hasNumbers { #expect(best?.index ?? -1 == vector.expected.best_trial.int) }
        let end = spec.end(counts, best: best?.value, isExhausted: false, elapsed: 0)
        switch vector.expected.reason.string {
        case "ExperimentGoalReached": #expect(end == .complete(.goalReached))
        case "ExperimentMaxTrialsReached": #expect(end == .complete(.maxTrialsReached))
        case "ExperimentFailed":
            if case .fail = end {} else { Issue.record("expected a failure, got \(String(describing: end))") }
        case "ExperimentRunning": #expect(end == nil)
        default: Issue.record("unknown reason \(vector.expected.reason)")
        }
    }

    @Test(arguments: Vector.of("trials_to_add"))
    func addsTrials(_ vector: Vector) {
        var objective = vector.input.members
        objective["maxTrials"] = vector.input.maxTrialCount
        let spec = spec(.object(objective), parallel: vector.input.parallelTrialCount.int ?? 1)
        let counts = TrialCounts([
            .running: vector.input.active.int ?? 0, .succeeded: vector.input.completed.int ?? 0,
        ])
        let (add, delete) = spec.trialsToAdd(counts)
        #expect(add == vector.expected.add.int && delete == vector.expected.delete.int)
    }

    // MARK: - Early stopping

    @Test(arguments: Vector.of("medianstop_rules"))
    func computesKatibsBound(_ vector: Vector) {
        let settings = vector.input.settings
        let startStep = settings.start_step.int ?? 4
        let means = vector.input.logs.members.compactMap { name, reports -> Double? in
            let condition = vector.input.trial_conditions[name].string ?? vector.input.default_condition.string
            guard condition == "SUCCEEDED" else { return nil }
            return EarlyStopping.firstMean(reports.items.compactMap(\.double), startStep: startStep)
        }
        let bound = EarlyStopping.mean(means, minTrials: settings.min_trials_required.int ?? 3)
        let expected = vector.expected.rules.items.first?.value.string.flatMap(Double.init)
        #expect((bound == nil) == (expected == nil))
        if let bound, let expected { #expect(abs(bound - expected) < 1e-12) }
    }

    @Test(arguments: Vector.of("stop_rules").filter { $0.input.rules.items.count == 1 })
    func stopsOnceAsInKatib(_ vector: Vector) {
        let objective = spec(.object(["type": vector.input.objective_type])).objective
        let rule = vector.input.rules.items[0]
        let startStep = rule.start_step.int ?? 4
        let reports = vector.input.reports.items.compactMap { $0.items.last?.double }
        let bound = rule.value.string.flatMap(Double.init) ?? .nan
        #expect(
            EarlyStopping.stopsAsInKatib(reports, bound: bound, startStep: startStep, objective)
                == vector.expected.early_stopped.boolean)
        if let at = vector.expected.at_report.int { #expect(at == max(1, startStep)) }
    }

    @Test(arguments: Vector.of("medianstop_validate"))
    func refusesSettingsOfTheRule(_ vector: Vector) throws {
        var body = SearchBody()
        body.earlyStoppingAlgorithm = vector.input.algorithm == .text("medianstop") ? "MEDIAN" : "UNKNOWN"
        let settings = vector.input.settings
        // Settings have names of their own in a request: there is no unknown one.
        guard settings.unknown_conf == .null else { return }
        body.earlyStoppingMinTrialCount = settings.min_trials_required.string.flatMap { Int($0) }.map {
            WholeNumber($0)
        }
        body.earlyStoppingStartStep = settings.start_step.string.flatMap { Int($0) }.map { WholeNumber($0) }
        var validator = Validator()
        _ = body.checked(&validator, instances: nil, isComplete: false)
        #expect(validator.problems.isEmpty == vector.expected.ok.boolean)
    }

    /// Of other settings there are none in a request, so none can be unknown.
    private static let settings = Vector.of("validate_algorithm_settings").filter {
        $0.input.settings.random_state != .null || $0.input.settings.members.isEmpty
    }

    @Test(arguments: settings)
    func refusesSettingsOfTheStrategy(_ vector: Vector) {
        var body = SearchBody()
        let names = ["tpe": "BAYESIAN_OPTIMIZATION", "multivariate-tpe": "BAYESIAN_OPTIMIZATION", "grid": "GRID"]
        body.tuningStrategyName = names[vector.input.algorithm.string ?? ""] ?? "UNKNOWN"
        body.tuningStrategyRandomState = vector.input.settings.random_state.string.flatMap { Int($0) }
            .map { WholeNumber($0) }
        body.maxTrialCount = vector.input.max_trial_count.int.map { WholeNumber($0) }
        body.objectiveMetric = .init(name: "m")
        body.objectiveTypeCode = "MAXIMIZE"
        let given = vector.input.parameters.items.map { parameter($0) }
        body.hyperparameterSpecList =
            given.isEmpty ? [.init(SearchParameter(name: "n", space: .int(1...100, step: 1, log: false)))] : given
        var validator = Validator()
        _ = body.checked(&validator, instances: nil, isComplete: true)
        #expect(validator.problems.isEmpty == vector.expected.ok.boolean)
    }
}
