import Foundation
import JobKit

extension EarlyStopping {
    /// What the other trials of a tuning have come to: the rules compare with it.
    struct Rivals: Sendable {
        /// Of the trials that succeeded.
        var firstMeans: [Double] = []
        /// Of all trials that have ended, and of those that run.
        var rungs: [String: [Double]] = [:]

        /// - Parameter judged: at how many rungs the trial has been looked at before.
        func stop(_ trial: Trial, _ reports: TrialReports, _ spec: TuningSpec, judged: Int = 0) -> Bool {
            guard let rule = spec.earlyStopping, let best = reports.best else { return false }
            switch rule.rule {
            case .median:
                guard let bound = EarlyStopping.median(firstMeans, minTrials: rule.minTrials) else { return false }
                return reports.count >= rule.startStep && spec.objective.isBetter(bound, than: best)
            case .katibMedian:
                // As it was when the trial was created.
                guard let bound = trial.spec.bound else { return false }
                return EarlyStopping.stopsAsInKatib(
                    reports.first, bound: bound, startStep: rule.startStep, spec.objective)
            case .asha:
                let others = rungs.filter { $0.key != trial.id }.map(\.value)
                // It may have come past several since the last look.
                return (judged..<max(judged, trial.status.rungs.count)).contains { rung in
                    EarlyStopping.stops(
                        rungs: Array(trial.status.rungs.prefix(rung + 1)), others: others, spec.objective)
                }
            }
        }
    }
}
