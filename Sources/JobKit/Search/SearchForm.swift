import Console
import FeatureKit
import Resource
import Telemetry
import Web

/// The parts of a tuning's form that templates have, too. Names of fields are those of the API.
package enum SearchForm {
    package static func parameters(_ t: Strings) -> Field {
        Field(
            "hyperparameterSpecList", t("training.hyperparameters"),
            .rows(
                [
                    Field("hyperparameterName", t("field.key"), placeholder: "lr"),
                    Field(
                        "hyperparameterTypeCode", t("tuning.type"),
                        .choice(["double", "int", "discrete", "categorical"].map { Field.Option($0, $0) })),
                    Field("hyperparameterMinValue", t("tuning.minimum"), placeholder: "0.001"),
                    Field("hyperparameterMaxValue", t("tuning.maximum"), placeholder: "0.1"),
                    Field("hyperparameterStep", t("tuning.step"), isOptional: true),
                    Field(
                        "hyperparameterScale", t("tuning.scale"),
                        .choice([
                            Field.Option("linear", t("tuning.scale.linear")),
                            Field.Option("log", t("tuning.scale.log")),
                        ])),
                    Field("hyperparameterSpecifiedValues", t("tuning.values"), placeholder: "sgd, adam"),
                ], add: t("training.addHyperparameter")), hint: t("tuning.parametersHint"))
    }

    package static func objective(_ t: Strings, isPartial: Bool = false) -> [[Field]] {
        [
            [
                Field(
                    "objectiveMetric.name", t("tuning.objectiveMetric"), isOptional: isPartial,
                    placeholder: "Validation-accuracy"),
                Field(
                    "objectiveTypeCode", t("tuning.direction"),
                    .choice(
                        (isPartial ? [Field.Option("", t("template.unset"))] : [])
                            + Objective.Direction.allCases.reversed().map { Field.Option($0.rawValue, $0.rawValue) })),
                Field("objectiveGoal", t("tuning.goal"), isOptional: true, placeholder: "0.99"),
            ],
            [
                Field(
                    "metricList", t("tuning.metrics"),
                    .rows([Field("name", t("field.name"), placeholder: "loss")], add: t("tuning.addMetric")),
                    hint: t("tuning.metricsHint"))
            ],
            [
                Field(
                    "metricRegex", t("tuning.metricRegex"), hint: t("tuning.metricRegexHint"), isOptional: true,
                    placeholder: MetricPattern.standard)
            ],
        ]
    }

    package static func search(_ t: Strings, isPartial: Bool = false) -> [[Field]] {
        [
            [
                Field(
                    "searchStrategyCode", t("tuning.strategy"),
                    .choice(
                        (isPartial ? [Field.Option("", t("template.unset"))] : [])
                            + SearchStrategy.allCases.map {
                                Field.Option($0.rawValue, t("tuning.strategy.\($0.rawValue)"))
                            }),
                    value: isPartial ? nil : SearchStrategy.bayesian.rawValue),
                Field(
                    "tuningStrategyRandomState", t("tuning.randomState"), .number(0...4_294_967_295), isOptional: true),
            ],
            [
                Field(
                    "maxTrialCount", t("tuning.maxTrials"), .number(1...100_000), isOptional: isPartial,
                    value: isPartial ? nil : "20"),
                Field(
                    "maxFailedTrialCount", t("tuning.maxFailed"), .number(1...100_000), isOptional: true,
                    placeholder: "3"),
            ],
        ]
    }

    /// In a template.
    package static func parallel(_ t: Strings) -> Field {
        Field("parallelTrialCount", t("tuning.parallel"), .number(1...10), isOptional: true)
    }

    package static func instances(_ t: Strings) -> [Field] {
        [
            Field("parallelTrialCount", t("tuning.parallel"), .number(1...10), value: "1"),
            Field(
                "instanceCount", t("tuning.instances"), .number(1...10), hint: t("tuning.instancesHint"),
                isOptional: true),
        ]
    }

    package static func stopping(_ t: Strings) -> [[Field]] {
        [
            [
                Field(
                    "earlyStoppingRuleCode", t("tuning.rule"),
                    .choice(
                        [Field.Option("", t("tuning.stopping.none"))]
                            + StoppingRule.Rule.allCases.map {
                                Field.Option($0.rawValue, t("tuning.stopping.\($0.rawValue)"))
                            })),
                Field(
                    "earlyStoppingMinTrialCount", t("tuning.minTrials"), .number(1...100_000), isOptional: true,
                    placeholder: "3"),
                Field(
                    "earlyStoppingStartStep", t("tuning.startStep"), .number(1...1000), isOptional: true,
                    placeholder: "4"),
            ]
        ]
    }

    package static func budget(_ t: Strings) -> [Field] {
        [
            Field(
                "maxDurationSeconds", t("tuning.maxDuration"), .number(1...2_592_000),
                hint: t("tuning.maxDurationHint"),
                isOptional: true)
        ]
    }

    /// What a form holds for a body.
    package static func fields(_ body: SearchBody) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        func add(_ name: String, _ value: String?) {
            if let value { pairs.append((name, value)) }
        }
        func add(_ name: String, _ value: WholeNumber?) { add(name, value.map { "\($0.value)" }) }
        for (index, item) in (body.hyperparameterSpecList ?? []).enumerated() {
            let row = "hyperparameterSpecList[\(index)]"
            add("\(row).hyperparameterName", item.hyperparameterName)
            add("\(row).hyperparameterTypeCode", item.hyperparameterTypeCode)
            add("\(row).hyperparameterMinValue", item.hyperparameterMinValue?.text)
            add("\(row).hyperparameterMaxValue", item.hyperparameterMaxValue?.text)
            add("\(row).hyperparameterStep", item.hyperparameterStep?.text)
            add("\(row).hyperparameterScale", item.hyperparameterScale)
            add("\(row).hyperparameterSpecifiedValues", item.hyperparameterSpecifiedValues)
        }
        for (index, metric) in (body.metricList ?? []).enumerated() { add("metricList[\(index)].name", metric.name) }
        add("metricRegex", body.metricRegex)
        add("objectiveMetric.name", body.objectiveMetric?.name)
        add("objectiveTypeCode", body.objectiveTypeCode)
        add("objectiveGoal", body.objectiveGoal?.text)
        add("objectiveStrategyCode", body.objectiveStrategyCode)
        add("maxFailedTrialCount", body.maxFailedTrialCount)
        add("maxTrialCount", body.maxTrialCount)
        add("parallelTrialCount", body.parallelTrialCount)
        add("maxDurationSeconds", body.maxDurationSeconds)
        add("searchStrategyCode", body.strategyCode)
        add("tuningStrategyRandomState", body.tuningStrategyRandomState)
        add("earlyStoppingRuleCode", body.ruleCode)
        add("earlyStoppingMinTrialCount", body.earlyStoppingMinTrialCount)
        add("earlyStoppingStartStep", body.earlyStoppingStartStep)
        return pairs
    }
}
