import Console
import FeatureKit
import JobKit
import Resource
import Web

/// The form of a tuning: everything of H-1 to H-8.
extension TuningType {
    func form(_ page: Page, copied: Tuning?) async throws -> Form {
        let t = page.t
        let parts = JobForm(checks: checks, store: store)
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    try await parts.about(page, nameField: names.nameField, experiment: copied?.spec.experimentID)),
                FieldGroup(
                    t("training.program"), hint: t("training.programHint"),
                    parts.program(t, parameters: SearchForm.parameters(t))),
                FieldGroup(t("tuning.objective"), SearchForm.objective(t)),
                FieldGroup(t("tuning.search"), SearchForm.search(t)),
                FieldGroup(t("training.resources"), await parts.resources(t, counts: SearchForm.instances(t))),
                FieldGroup(t("tuning.earlyStopping"), isFolded: true, SearchForm.stopping(t)),
                FieldGroup(t("training.input"), hint: t("training.inputHint"), isFolded: true, parts.input(t)),
                FieldGroup(
                    t("training.output"),
                    parts.output(
                        t, try await parts.place(page), nameField: names.nameField, folder: names.collection)),
                FieldGroup(
                    t("training.extra"), isFolded: true, [SearchForm.budget(t)] + parts.extra(t)),
            ], submit: t("hyperparameterTuning.new"), cancel: "\(page.base)/\(names.collection)")
    }

    func prefilled(_ page: Page) async throws -> FormFields? { try await JobForm.prefilled(page, templates) }

    func chooser(_ page: Page) async throws -> [String: Any]? {
        try await JobForm.chooser(page, templates, action: "\(page.base)/\(names.collection)/new")
    }

    func explained(_ error: TakumiError, _ typed: FormFields, _ t: Strings) -> TakumiError {
        JobForm.explained(error, typed, t)
    }

    func fields(of tuning: Tuning, as name: String) -> FormFields {
        let spec = tuning.spec
        var pairs = spec.job.fields(experiment: spec.experimentID, name: tuning.metadata.name, copy: name)
        pairs.removeAll { $0.name == "instanceCount" }
        pairs += [
            ("instanceCount", "\(spec.job.nodes * spec.parallelTrials)"),
            ("description", tuning.metadata.description),
        ]
        pairs += SearchForm.fields(TuningType.body(spec))
        return FormFields(pairs + FormFields.tags(tuning.metadata.tags))
    }

    /// The request that made it.
    private static func body(_ spec: TuningSpec) -> SearchBody {
        var body = SearchBody()
        body.hyperparameterSpecList = spec.parameters.map(SearchBody.Parameter.init)
        body.metricList = spec.metrics.map { .init(name: $0) }
        body.metricRegex = spec.metricPattern
        body.objectiveMetric = .init(name: spec.objective.metric)
        body.objectiveTypeCode = spec.objective.direction.rawValue
        body.objectiveGoal = spec.objective.goal.map { NumberText("\($0)") }
        body.objectiveStrategyCode = spec.objective.strategy.rawValue
        body.maxFailedTrialCount = WholeNumber(spec.maxFailedTrials)
        body.maxTrialCount = spec.maxTrials.map { WholeNumber($0) }
        body.parallelTrialCount = WholeNumber(spec.parallelTrials)
        body.maxDurationSeconds = spec.maxDuration.map { WholeNumber($0) }
        body.searchStrategyCode = spec.strategy.rawValue
        body.tuningStrategyRandomState = WholeNumber(spec.randomState)
        body.earlyStoppingRuleCode = spec.earlyStopping?.rule.rawValue
        body.earlyStoppingMinTrialCount = spec.earlyStopping.map { WholeNumber($0.minTrials) }
        body.earlyStoppingStartStep = spec.earlyStopping.map { WholeNumber($0.startStep) }
        return body
    }
}
