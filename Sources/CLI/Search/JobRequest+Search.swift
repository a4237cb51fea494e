extension JobRequest {
    static let searchFields = [
        "hyperparameterSpecList", "metricList", "metricRegex", "objectiveMetric", "objectiveTypeCode", "objectiveGoal",
        "objectiveStrategyCode", "maxFailedTrialCount", "maxTrialCount", "parallelTrialCount", "maxDurationSeconds",
        "searchStrategyCode", "tuningStrategyRandomState", "earlyStoppingRuleCode", "earlyStoppingMinTrialCount",
        "earlyStoppingStartStep",
    ]

    /// Everything that the options say. A hyperparameter replaces the one of its name.
    mutating func apply(_ search: SearchSettings) {
        applyParameters(search.search)
        applyObjective(search)
        applyMetrics(search.metric)
        set("metricRegex", search.metricRegex)
        set("searchStrategyCode", search.strategy?.code)
        set("tuningStrategyRandomState", JSONValue.int(search.randomState))
        set(nodes: nil, parallel: search.parallel)
        set("maxDurationSeconds", JSONValue.int(search.maxDuration))
        applyLimits(search)
        if search.earlyStopping == .off {
            for field in ["RuleCode", "MinTrialCount", "StartStep"] { fields["earlyStopping\(field)"] = nil }
        }
        set("earlyStoppingRuleCode", search.earlyStopping?.code)
        set("earlyStoppingMinTrialCount", JSONValue.int(search.minTrials))
        set("earlyStoppingStartStep", JSONValue.int(search.startStep))
    }

    private mutating func applyParameters(_ specs: [SearchSpec]) {
        guard !specs.isEmpty else { return }
        var list = fields["hyperparameterSpecList"]?.array ?? []
        for spec in specs {
            if let index = list.firstIndex(where: { $0["hyperparameterName"].text == spec.name }) {
                list[index] = spec.wire
            } else {
                list.append(spec.wire)
            }
        }
        fields["hyperparameterSpecList"] = .array(list)
    }

    private mutating func applyObjective(_ search: SearchSettings) {
        if let (metric, direction) = search.objective {
            // The goal of another objective is none of this one.
            if fields["objectiveMetric"]?["name"].string != metric
                || fields["objectiveTypeCode"]?.string != direction
            {
                fields["objectiveGoal"] = nil
            }
            fields["objectiveMetric"] = .object(["name": .string(metric)])
            fields["objectiveTypeCode"] = .string(direction)
            // Which report is the best one depends on the direction; the server knows.
            if fields["objectiveStrategyCode"]?.string != "LATEST" { fields["objectiveStrategyCode"] = nil }
        }
        set("objectiveGoal", search.goal.map { JSONValue.double($0) })
        switch search.objectiveStrategy {
        case .best: fields["objectiveStrategyCode"] = nil
        case .latest: fields["objectiveStrategyCode"] = .string("LATEST")
        case nil: break
        }
    }

    /// The objective is one of the metrics, always.
    private mutating func applyMetrics(_ further: [String]) {
        let old = (fields["metricList"]?.array ?? []).map { $0["name"].text }
        let objective = fields["objectiveMetric"]?["name"].string
        var names: [String] = []
        for name in old + [objective].compactMap({ $0 }) + further where !names.contains(name) { names.append(name) }
        guard !names.isEmpty else { return }
        fields["metricList"] = .array(names.map { .object(["name": .string($0)]) })
    }

    private mutating func applyLimits(_ search: SearchSettings) {
        set("maxTrialCount", JSONValue.int(search.maxTrials))
        set("maxFailedTrialCount", JSONValue.int(search.maxFailed))
        // The server refuses what could never be reached. Of one that is copied it may be its own default.
        if let most = search.maxTrials, search.maxFailed == nil, let failed = fields["maxFailedTrialCount"]?.int {
            fields["maxFailedTrialCount"] = .int(Int64(min(failed, most)))
        }
    }

    /// As `missing` for jobs, of a tuning.
    func missing(_ search: SearchSettings) -> [String] {
        let isGrid = (search.strategy?.code ?? fields["searchStrategyCode"]?.string) == TuningStrategy.grid.code
        return missing([
            ("--search", "hyperparameterSpecList", search.search.first?.name),
            ("--maximize or --minimize", "objectiveMetric", search.objective?.metric),
            ("--max-trials", "maxTrialCount", isGrid ? "" : search.maxTrials.map { "\($0)" }),
        ])
    }
}
