import Engine
import Foundation
import JobKit
import Resource
import Storage
import Store
import Synchronization
import Telemetry

/// What trials have reported, read from their logs as these grow, and what early stopping remembers of ended ones.
final class TrialFiles: Sendable {
    private struct State {
        var collectors: [String: MetricCollector] = [:]
        /// By tuning; made from the store on the first question after a start.
        var rivals: [String: EarlyStopping.Rivals] = [:]
    }

    private let store: Store
    private let home: String
    private let state = Mutex(State())

    init(store: Store, home: String) {
        (self.store, self.home) = (store, home)
    }

    /// Nothing where no program has run yet.
    func reports(of trial: Trial, _ tuning: Tuning, _ observation: Observation?) async throws -> TrialReports {
        guard observation?.tasks.first??.runningAt != nil else { return TrialReports() }
        let collector = try collector(of: trial, tuning.spec)
        let observations = try await BlockingWork.run { collector.read() }
        let objective = observations.first { $0.summary.name == tuning.spec.objective.metric }
        return TrialReports(
            summaries: observations.map(\.summary), first: objective?.first ?? [], count: objective?.series.count ?? 0,
            best: objective.flatMap { MetricStrategy(for: tuning.spec.objective.direction).value($0.summary) })
    }

    private func collector(of trial: Trial, _ spec: TuningSpec) throws -> MetricCollector {
        try state.withLock { state in
            if let collector = state.collectors[trial.id] { return collector }
            let collector = MetricCollector(
                path: WorkloadFolder(home: home, id: trial.workloadID).task(0).log,
                pattern: try MetricPattern(spec.metricPattern), names: spec.metrics)
            state.collectors[trial.id] = collector
            return collector
        }
    }

    /// Called once what ended is written.
    func settled(_ trial: Trial) {
        state.withLock { state in
            state.collectors[trial.id] = nil
            guard state.rivals[trial.spec.tuningID] != nil else { return }
            state.rivals[trial.spec.tuningID]?.take(trial)
        }
    }

    /// Of a tuning that has ended or is gone.
    func forget(_ tuning: String) { state.withLock { $0.rivals[tuning] = nil } }

    /// What the round's running trials are compared with.
    func rivals(of tuning: Tuning, _ round: TuningRound) async throws -> EarlyStopping.Rivals {
        guard let rule = tuning.spec.earlyStopping else { return EarlyStopping.Rivals() }
        var rivals = try await remembered(tuning)
        // What has ended in this round counts, though it is not written yet.
        for trial in round.settled { rivals.take(trial) }
        if rule.rule == .asha {
            for (trial, _) in round.running { rivals.rungs[trial.id] = trial.status.rungs }
        }
        return rivals
    }

    /// Katib's bound for a trial that is created now.
    func bound(_ tuning: Tuning, _ round: TuningRound) async throws -> Double? {
        guard let rule = tuning.spec.earlyStopping, rule.rule == .katibMedian else { return nil }
        return EarlyStopping.mean(try await rivals(of: tuning, round).firstMeans, minTrials: rule.minTrials)
    }

    private func remembered(_ tuning: Tuning) async throws -> EarlyStopping.Rivals {
        if let known = state.withLock({ $0.rivals[tuning.id] }) { return known }
        var rivals = EarlyStopping.Rivals()
        for trial in try await TuningReconciler.trials(store, of: tuning.key, activeOnly: false)
        where trial.status.phase.isSettled { rivals.take(trial) }
        let found = rivals
        state.withLock { $0.rivals[tuning.id] = found }
        return rivals
    }
}

extension EarlyStopping.Rivals {
    mutating func take(_ trial: Trial) {
        if trial.status.phase == .succeeded, let mean = trial.status.firstMean { firstMeans.append(mean) }
        if !trial.status.rungs.isEmpty { rungs[trial.id] = trial.status.rungs }
    }
}
