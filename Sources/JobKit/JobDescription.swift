import FeatureKit

extension APIDescription {
    /// The fields of `JobBody`.
    package static let jobFields: [Field] = [
        .init("experimentId", note: "or experimentName"), .init("experimentName"), .init("experimentDescription"),
        .init("imageId", required: true), .init("flavorId", required: true),
        .init("instanceCount", "integer", note: "1 to 10"), .init("sourceDirUri", required: true),
        .init("entryPoint", required: true), .init("algorithmId"), .init("datasetList", "object[]"),
        .init("checkPointInputUri"), .init("checkPointUploadUri"), .init("modelUploadUri", required: true),
        .init("timeoutMinutes", "integer", note: "60 to 43200"), .init("useLog", "boolean"),
        .init("useTorchrun", "boolean"), .init("nprocPerNode", "integer"),
        .init("dataStorageSize", "integer", note: "300 to 10000 GB"),
    ]

    /// The fields of `SearchBody`.
    package static let searchFields: [Field] = [
        .init("hyperparameterSpecList", "object[]", required: true), .init("metricList", "object[]"),
        .init("metricRegex", note: "RE2; the first group is the name, the second the value"),
        .init("objectiveMetric", "object", required: true),
        .init("objectiveTypeCode", required: true, note: "MINIMIZE or MAXIMIZE"),
        .init("objectiveGoal", "number"), .init("objectiveStrategyCode", note: "MIN, MAX or LATEST"),
        .init("maxFailedTrialCount", "integer"), .init("maxTrialCount", "integer"),
        .init("parallelTrialCount", "integer", note: "1 to 10"), .init("maxDurationSeconds", "integer"),
        .init("searchStrategyCode", note: SearchStrategy.allCases.map(\.rawValue).joined(separator: ", ")),
        .init(
            "tuningStrategyName",
            note: "the same for the vendor's SDK, which is answered the nearest of GRID, RANDOM, BAYESIAN_OPTIMIZATION"),
        .init("tuningStrategyRandomState", "integer"),
        .init("earlyStoppingRuleCode", note: StoppingRule.Rule.allCases.map(\.rawValue).joined(separator: ", ")),
        .init("earlyStoppingAlgorithm", note: "the same for the vendor's SDK, which is answered MEDIAN"),
        .init("earlyStoppingMinTrialCount", "integer"), .init("earlyStoppingStartStep", "integer"),
    ]
}
