import Engine
import Foundation
import JobKit
import Telemetry

/// What a trial's log has said of the tuning's metrics.
struct TrialReports: Sendable {
    /// In the order of the tuning's metrics.
    var summaries: [MetricSummary] = []
    /// Of the objective, as numbers: the first thousand, in order.
    var first: [Double] = []
    /// How many numbers there were, and the best of all of them.
    var count = 0
    var best: Double?
}

extension Trial {
    /// Pure: what is stored, what the engine sees and what the log has said → the next status.
    func advanced(_ observation: Observation?, _ reports: TrialReports, _ spec: TuningSpec) -> TrialStatus {
        var next = status
        guard let observation else {
            // Never launched, or forgotten: nothing runs.
            if next.ending != nil { settle(&next, .killed, nil) }
            return next
        }
        let tasks = observation.tasks.compactMap { $0 }
        next.startedAt = tasks.compactMap(\.runningAt).min() ?? status.startedAt
        next.isolation = tasks.first?.isolation ?? status.isolation
        next.start = tasks.first?.start ?? status.start
        guard observation.hasEnded else {
            next.phase = next.startedAt == nil ? .created : .running
            if let rule = spec.earlyStopping, rule.rule == .asha {
                next.rungs = EarlyStopping.rungs(reports.first, startStep: rule.startStep, spec.objective)
            }
            next.cause = observation.waiting ?? (next.startedAt == nil ? tasks.first { $0.cause != nil }?.cause : nil)
            return next
        }
        let verdict = Verdict(observation.tasks)
        // A trial's limit is what was left for the tuning.
        if next.ending == nil, tasks.contains(where: { $0.outcome == .timedOut }) { next.ending = .killed }
        next.endedAt = tasks.compactMap(\.endedAt).max()
        next.exitCode = verdict.exitCode
        next.metrics = reports.summaries
        next.reports = reports.count
        next.value = reports.summaries.first { $0.name == spec.objective.metric }
            .flatMap(spec.objective.strategy.value)
        if let rule = spec.earlyStopping {
            next.firstMean = EarlyStopping.firstMean(reports.first, startStep: rule.startStep)
            if rule.rule == .asha {
                next.rungs = EarlyStopping.rungs(reports.first, startStep: rule.startStep, spec.objective)
            }
        }
        if verdict.succeeded {
            // It came to its end before anybody could end it.
            if next.value != nil {
                settle(&next, .succeeded, nil)
            } else {
                settle(&next, .metricsUnavailable, Trial.unavailable(spec.objective.metric, reports.summaries))
            }
        } else {
            switch next.ending {
            case .earlyStopped: settle(&next, .earlyStopped, nil)
            case .killed: settle(&next, .killed, nil)
            case nil: settle(&next, .failed, verdict.cause)
            }
        }
        return next
    }

    private func settle(_ status: inout TrialStatus, _ phase: TrialPhase, _ cause: String?) {
        status.phase = phase
        status.cause = cause
        // What did not come to its end, and was not ended for being worse, says nothing about its parameters.
        if phase == .failed || phase == .killed { status.value = nil }
    }

    private static func unavailable(_ metric: String, _ summaries: [MetricSummary]) -> String {
        guard let summary = summaries.first(where: { $0.name == metric }), summary.count > 0 else {
            return "the program ended well, but no line of its log gave a value of '\(metric)'; check metricRegex"
        }
        return "the program reported '\(summary.latest)' for '\(metric)', which is no number"
    }
}
