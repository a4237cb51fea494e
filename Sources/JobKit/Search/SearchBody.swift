import FeatureKit
import Foundation
import Resource
import Telemetry

/// What the body of `POST /hyperparameter-tunings` has beside `JobBody`: what to search, how, and until when. As the vendor's
/// SDK sends it, with a few options of ours.
package struct SearchBody: Codable, Sendable, Equatable {
    package struct Parameter: Codable, Sendable, Equatable {
        package var hyperparameterName: String?
        package var hyperparameterTypeCode: String?
        package var hyperparameterMinValue: NumberText?
        package var hyperparameterMaxValue: NumberText?
        package var hyperparameterStep: NumberText?
        package var hyperparameterSpecifiedValues: String?
        package var hyperparameterScale: String?
    }

    package struct Metric: Codable, Sendable, Equatable {
        package var name: String?

        package init(name: String?) { self.name = name }
    }

    package var hyperparameterSpecList: [Parameter]?
    package var metricList: [Metric]?
    package var metricRegex: String?
    package var objectiveMetric: Metric?
    package var objectiveTypeCode: String?
    package var objectiveGoal: NumberText?
    package var objectiveStrategyCode: String?
    package var maxFailedTrialCount: WholeNumber?
    package var maxTrialCount: WholeNumber?
    package var parallelTrialCount: WholeNumber?
    package var maxDurationSeconds: WholeNumber?
    /// The vendor's word; its SDK knows GRID, RANDOM and BAYESIAN_OPTIMIZATION.
    package var tuningStrategyName: String?
    /// Ours, of `SearchStrategy`.
    package var searchStrategyCode: String?
    package var tuningStrategyRandomState: WholeNumber?
    /// The vendor's word; its SDK knows MEDIAN.
    package var earlyStoppingAlgorithm: String?
    /// Ours, of `StoppingRule.Rule`.
    package var earlyStoppingRuleCode: String?
    package var earlyStoppingMinTrialCount: WholeNumber?
    package var earlyStoppingStartStep: WholeNumber?

    package init() {}

    package var parallelTrials: Int { parallelTrialCount?.value ?? 1 }

    /// Whichever field it came in. Not checked.
    package var strategyCode: String? { SearchBody.chosen(searchStrategyCode, tuningStrategyName) }
    package var ruleCode: String? { SearchBody.chosen(earlyStoppingRuleCode, earlyStoppingAlgorithm) }

    private static func chosen(_ own: String?, _ vendor: String?) -> String? {
        [own, vendor].compactMap(\.self).first { !$0.isEmpty }
    }

    /// Each choice in one field, so that a change of it needs no other.
    package var inOwnFields: SearchBody {
        var body = self
        (body.searchStrategyCode, body.tuningStrategyName) = (strategyCode, nil)
        (body.earlyStoppingRuleCode, body.earlyStoppingAlgorithm) = (ruleCode, nil)
        return body
    }

    /// What a valid body comes to.
    package struct Checked: Sendable {
        package var strategy: SearchStrategy
        package var parameters: [SearchParameter]
        package var metrics: [String]
        package var objective: Objective
        package var earlyStopping: StoppingRule?
    }

    /// Everything that can be checked without looking at anything else.
    /// - Parameters:
    ///   - instances: of the job, which are nodes × parallel trials.
    ///   - isComplete: whether what is missing is wrong; in a template it is not.
    package func checked(_ validator: inout Validator, instances: Int?, isComplete: Bool) -> Checked {
        if isComplete {
            validator.require(
                !(hyperparameterSpecList ?? []).isEmpty, "hyperparameterSpecList",
                "is required; the hyperparameters and where to look for them")
            validator.require(
                !(objectiveMetric?.name ?? "").isEmpty, "objectiveMetric.name",
                "is required; the name of the metric to optimise")
            validator.require(objectiveTypeCode != nil, "objectiveTypeCode", "is required; MINIMIZE or MAXIMIZE")
        }
        validateCounts(&validator, instances: instances)
        let strategy =
            choice(
                ("searchStrategyCode", searchStrategyCode), ("tuningStrategyName", tuningStrategyName),
                \SearchStrategy.vendorCode, &validator) ?? .bayesian
        let parameters = SearchParameter.validated(hyperparameterSpecList ?? [], strategy: strategy, &validator)
        let (metrics, objective) = validateMetrics(&validator)
        let stopping = validateEarlyStopping(&validator)
        // Of a strategy that is not known nothing more can be said.
        if isComplete, strategyCode.map({ SearchStrategy(rawValue: $0) != nil }) ?? true {
            validateMaximum(strategy, parameters, &validator)
        }
        return Checked(
            strategy: strategy, parameters: parameters, metrics: metrics, objective: objective, earlyStopping: stopping)
    }

    private func validateCounts(_ validator: inout Validator, instances: Int?) {
        validator.range(parallelTrialCount?.value, "parallelTrialCount", 1...10)
        validator.range(maxTrialCount?.value, "maxTrialCount", 1...100_000)
        validator.range(maxFailedTrialCount?.value, "maxFailedTrialCount", 1...100_000)
        validator.range(maxDurationSeconds?.value, "maxDurationSeconds", 1...2_592_000)
        validator.range(tuningStrategyRandomState?.value, "tuningStrategyRandomState", 0...4_294_967_295)
        let instances = instances ?? parallelTrials
        validator.require(
            instances % max(1, parallelTrials) == 0, "instanceCount",
            "\(instances) is not a multiple of parallelTrialCount \(parallelTrials); it is nodes × parallel trials")
        if let maxFailed = maxFailedTrialCount?.value, let most = maxTrialCount?.value, maxFailed > most {
            validator.refuse(
                "maxFailedTrialCount",
                "\(maxFailed) is above maxTrialCount \(most), so the tuning could never fail; use \(most) or less")
        }
    }

    private func validateMetrics(_ validator: inout Validator) -> ([String], Objective) {
        let objective = objectiveMetric?.name ?? ""
        let listed = (metricList ?? []).map { $0.name ?? "" }
        let metrics = listed.isEmpty ? [objective].filter { !$0.isEmpty } : listed
        validator.count(metrics.count, "metricList", limit: 10)
        for (index, name) in listed.enumerated() {
            validator.require(!name.isEmpty, "metricList[\(index)].name", "is required")
            validator.length(name, "metricList[\(index)].name", limit: 255)
            validator.require(
                listed.firstIndex(of: name) == index, "metricList[\(index)].name", "'\(name.excerpt)' is given twice")
        }
        validator.require(
            objective.isEmpty || metrics.contains(objective), "objectiveMetric.name",
            "'\(objective.excerpt)' is not in metricList; add it there")
        validator.length(metricRegex, "metricRegex", limit: 255)
        if let pattern = metricRegex {
            do { _ = try MetricPattern(pattern) } catch {
                validator.refuse("metricRegex", "'\(pattern.excerpt)' \(error.reason)")
            }
        }
        let direction: Objective.Direction = oneOf(objectiveTypeCode, "objectiveTypeCode", .maximize, &validator)
        let strategy = oneOf(
            objectiveStrategyCode, "objectiveStrategyCode", MetricStrategy(for: direction), &validator)
        var goal: Double?
        if let text = objectiveGoal?.text, !text.isEmpty {
            goal = SearchParameter.decimal(text)
            validator.require(goal != nil, "objectiveGoal", "'\(text.excerpt)' is not a number")
        }
        return (metrics, Objective(metric: objective, direction: direction, goal: goal, strategy: strategy))
    }

    private func validateEarlyStopping(_ validator: inout Validator) -> StoppingRule? {
        guard ruleCode != nil else { return nil }
        validator.range(earlyStoppingMinTrialCount?.value, "earlyStoppingMinTrialCount", 1...100_000)
        validator.range(earlyStoppingStartStep?.value, "earlyStoppingStartStep", 1...1000)
        let rule = choice(
            ("earlyStoppingRuleCode", earlyStoppingRuleCode), ("earlyStoppingAlgorithm", earlyStoppingAlgorithm),
            \StoppingRule.Rule.vendorCode, &validator)
        return StoppingRule(
            rule: rule ?? .median,
            minTrials: earlyStoppingMinTrialCount?.value ?? 3, startStep: earlyStoppingStartStep?.value ?? 4)
    }

    /// A grid ends by itself; every other search needs an end.
    private func validateMaximum(
        _ strategy: SearchStrategy, _ parameters: [SearchParameter], _ validator: inout Validator
    ) {
        guard strategy == .grid else {
            validator.require(
                maxTrialCount != nil, "maxTrialCount", "is required, except with the strategy GRID")
            if strategy == .gaussianProcess, let most = maxTrialCount?.value {
                validator.require(
                    most <= 1000, "maxTrialCount",
                    "\(most) is too many for GAUSSIAN_PROCESS, whose time grows with their cube; use at most 1000, or BAYESIAN_OPTIMIZATION"
                )
            }
            return
        }
        guard validator.problems.isEmpty, let combinations = SearchParameter.combinations(parameters) else { return }
        validator.require(
            combinations <= 100_000, "hyperparameterSpecList",
            "the grid has \(combinations) combinations; at most 100000 are allowed: use larger steps, or RANDOM")
        if let most = maxTrialCount?.value {
            validator.require(
                most <= combinations, "maxTrialCount",
                "\(most) is above the \(combinations) combinations of the grid; use at most \(combinations), or smaller steps"
            )
        }
    }

    /// What our field says, or the vendor's, which takes all codes, too. Both may be given where they say the same, as far as
    /// the vendor's can.
    private func choice<Code: RawRepresentable<String> & CaseIterable>(
        _ own: (field: String, text: String?), _ vendor: (field: String, text: String?),
        _ vendorCode: KeyPath<Code, String>, _ validator: inout Validator
    ) -> Code? {
        let (ownCode, vendorsCode): (Code?, Code?) = (
            known(own.text, own.field, &validator), known(vendor.text, vendor.field, &validator)
        )
        guard let ownCode, let vendorsCode else { return ownCode ?? vendorsCode }
        validator.require(
            [ownCode.rawValue, ownCode[keyPath: vendorCode]].contains(vendorsCode.rawValue), vendor.field,
            "\(vendorsCode.rawValue) is not what \(own.field) \(ownCode.rawValue) says; give \(own.field) alone")
        return ownCode
    }

    private func oneOf<Code: RawRepresentable<String> & CaseIterable>(
        _ text: String?, _ field: String, _ fallback: Code, _ validator: inout Validator
    ) -> Code { known(text, field, &validator) ?? fallback }

    private func known<Code: RawRepresentable<String> & CaseIterable>(
        _ text: String?, _ field: String, _ validator: inout Validator
    ) -> Code? {
        guard let text, !text.isEmpty else { return nil }
        if let code = Code(rawValue: text) { return code }
        let codes = Code.allCases.map(\.rawValue).joined(separator: ", ")
        validator.refuse(field, "'\(text.excerpt)' is not known; use \(codes)")
        return nil
    }
}
