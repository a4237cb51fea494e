import Catalog
import FeatureKit
import Foundation
import JobKit
import Resource
import Store
import Telemetry
import Web

/// A tuning as the vendor's SDK reads it: one flat object.
struct TuningWire: Encodable, Sendable {
    struct Own: Encodable, Sendable {
        var hyperparameterTuningId: String
        var hyperparameterTuningName: String
        var hyperparameterTuningStatusCode: String
        /// Why it is COMPLETE, or the cause of anything else.
        var hyperparameterTuningStatusReason: String?
        var statusReason: String?
        var description: String
        var appKey: String
        var createdDatetime: String
        var startedDatetime: String?
        var endedDatetime: String?
        var elapsedTimeSeconds: Int
        var instanceCount: Int
        var hyperparameterSpecList: [SearchBody.Parameter]
        var metricList: [SearchBody.Metric]
        var metricRegex: String
        var objectiveMetricName: String
        var objectiveTypeCode: String
        var objectiveGoal: Double?
        var objectiveStrategyCode: String
        var maxFailedTrialCount: Int
        var maxTrialCount: Int?
        var parallelTrialCount: Int
        var maxDurationSeconds: Int?
        var tuningStrategyName: String
        var searchStrategyCode: String
        var tuningStrategyRandomState: Int
        var earlyStoppingAlgorithm: String?
        var earlyStoppingRuleCode: String?
        var earlyStoppingMinTrialCount: Int?
        var earlyStoppingStartStep: Int?
        var trialCount: Int
        var successfulTrialCount: Int
        var runningTrialCount: Int
        var failedTrialCount: Int
        var earlyStoppedTrialCount: Int
        var killedTrialCount: Int
        var metricsUnavailableTrialCount: Int
        var optimalTrialId: String?
        var optimalTrial: TrialWire?
        var tagList: [WireTag]
    }

    var own: Own
    var job: JobWire

    init(
        _ tuning: Tuning, best: Trial?, experiment: Record?, catalog: Catalog, publicURL: String, now: Date
    ) {
        let (metadata, spec, status) = (tuning.metadata, tuning.spec, tuning.status)
        own = Own(
            hyperparameterTuningId: tuning.id, hyperparameterTuningName: metadata.name,
            hyperparameterTuningStatusCode: status.phase.rawValue,
            hyperparameterTuningStatusReason: status.phase == .complete ? status.reason?.rawValue : status.cause,
            statusReason: status.cause ?? status.reason?.rawValue, description: metadata.description,
            appKey: metadata.project, createdDatetime: WireJSON.time(metadata.createdAt),
            startedDatetime: status.startedAt.map(WireJSON.time), endedDatetime: status.endedAt.map(WireJSON.time),
            elapsedTimeSeconds: status.elapsed(at: now), instanceCount: spec.job.nodes * spec.parallelTrials,
            hyperparameterSpecList: spec.parameters.map(SearchBody.Parameter.init),
            metricList: spec.metrics.map { SearchBody.Metric(name: $0) }, metricRegex: spec.metricPattern,
            objectiveMetricName: spec.objective.metric, objectiveTypeCode: spec.objective.direction.rawValue,
            objectiveGoal: spec.objective.goal, objectiveStrategyCode: spec.objective.strategy.rawValue,
            maxFailedTrialCount: spec.maxFailedTrials, maxTrialCount: spec.maxTrials,
            parallelTrialCount: spec.parallelTrials, maxDurationSeconds: spec.maxDuration,
            tuningStrategyName: spec.strategy.vendorCode, searchStrategyCode: spec.strategy.rawValue,
            tuningStrategyRandomState: spec.randomState,
            earlyStoppingAlgorithm: spec.earlyStopping?.rule.vendorCode,
            earlyStoppingRuleCode: spec.earlyStopping?.rule.rawValue,
            earlyStoppingMinTrialCount: spec.earlyStopping?.minTrials,
            earlyStoppingStartStep: spec.earlyStopping?.startStep, trialCount: status.counts.total,
            successfulTrialCount: status.counts[.succeeded], runningTrialCount: status.counts.active,
            failedTrialCount: status.counts[.failed], earlyStoppedTrialCount: status.counts[.earlyStopped],
            killedTrialCount: status.counts[.killed],
            metricsUnavailableTrialCount: status.counts[.metricsUnavailable], optimalTrialId: status.best?.id,
            optimalTrial: best.map(TrialWire.init), tagList: metadata.tags.map(WireTag.init))
        job = JobWire(
            spec.job, experiment: experiment, catalog: catalog, publicURL: publicURL,
            tensorBoard: "/tensorboard/\(metadata.project)/hyperparameter-tunings/\(tuning.id)/")
    }

    func encode(to encoder: any Encoder) throws {
        try own.encode(to: encoder)
        try job.encode(to: encoder)
    }
}

/// A trial as the vendor's SDK reads it, and what its details show.
struct TrialWire: Encodable, Sendable {
    struct Metric: Encodable, Sendable {
        var trialMetricName: String
        var trialMetricMinValue: String
        var trialMetricMaxValue: String
        var trialMetricLatestValue: String
    }

    var trialId: String
    var trialName: String
    var trialNumber: Int
    var trialStatusCode: String
    var statusReason: String?
    var hyperparameterTuningId: String
    var createdDatetime: String
    var startedDatetime: String?
    var endedDatetime: String?
    var exitCode: Int?
    var isolation: String?
    var startReason: String?
    var objectiveValue: Double?
    var hyperparameterList: [JobBody.Parameter]
    var trialMetricList: [Metric]

    init(_ trial: Trial) {
        let (spec, status) = (trial.spec, trial.status)
        trialId = trial.id
        trialName = trial.metadata.name
        trialNumber = spec.number
        trialStatusCode = status.phase.rawValue
        statusReason = status.cause
        hyperparameterTuningId = spec.tuningID
        createdDatetime = WireJSON.time(trial.metadata.createdAt)
        startedDatetime = status.startedAt.map(WireJSON.time)
        endedDatetime = status.endedAt.map(WireJSON.time)
        exitCode = status.exitCode
        isolation = status.isolation
        startReason = status.start
        objectiveValue = status.value
        hyperparameterList = spec.parameters.map { .init(parameterName: $0.name, parameterValue: $0.value) }
        trialMetricList = status.metrics.filter { $0.count > 0 }.map {
            Metric(
                trialMetricName: $0.name, trialMetricMinValue: $0.minimum ?? "unavailable",
                trialMetricMaxValue: $0.maximum ?? "unavailable", trialMetricLatestValue: $0.latest)
        }
    }
}
