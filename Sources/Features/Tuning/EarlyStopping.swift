import Foundation
import JobKit

/// Decides which running trials are not worth going on with (H-8). Pure.
enum EarlyStopping {
    /// Ours: the true median of what the succeeded trials reported first; nil while too few have succeeded.
    static func median(_ means: [Double], minTrials: Int) -> Double? {
        guard means.count >= max(1, minTrials) else { return nil }
        let sorted = means.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// Katib's: their arithmetic mean.
    static func mean(_ means: [Double], minTrials: Int) -> Double? {
        guard means.count >= max(1, minTrials) else { return nil }
        return means.reduce(0, +) / Double(means.count)
    }

    /// What a trial contributes: the mean of its first reports.
    static func firstMean(_ reports: some Collection<Double>, startStep: Int) -> Double? {
        let first = reports.prefix(startStep)
        return first.isEmpty ? nil : first.reduce(0, +) / Double(first.count)
    }

    /// Katib's: looked at once, when the start step is reached.
    static func stopsAsInKatib(_ reports: [Double], bound: Double, startStep: Int, _ objective: Objective) -> Bool {
        let step = max(1, startStep)
        guard reports.count >= step, let best = best(reports.prefix(step), objective) else { return false }
        return objective.isBetter(bound, than: best)
    }

    // MARK: - ASHA

    /// One of so many goes on from each rung (asynchronous successive halving, Li et al. 2018).
    static let reduction = 3

    /// The best values at the rungs that a trial has reached: after `startStep`, three times as many, nine times as many…
    static func rungs(_ reports: [Double], startStep: Int, _ objective: Objective) -> [Double] {
        var rungs: [Double] = []
        var step = max(1, startStep)
        while reports.count >= step, let best = best(reports.prefix(step), objective) {
            rungs.append(best)
            step *= reduction
        }
        return rungs
    }

    /// Whether a trial is below the best third at the last rung that it reached.
    /// - Parameter others: the rungs of all other trials.
    static func stops(rungs: [Double], others: [[Double]], _ objective: Objective) -> Bool {
        guard let own = rungs.last else { return false }
        let rivals = others.filter { $0.count >= rungs.count }.map { $0[rungs.count - 1] }
        // With fewer than three there is no best third.
        guard rivals.count + 1 >= reduction else { return false }
        let better = rivals.count { objective.isBetter($0, than: own) }
        return better >= max(1, (rivals.count + 1) / reduction)
    }

    private static func best(_ reports: some Collection<Double>, _ objective: Objective) -> Double? {
        objective.direction == .minimize ? reports.min() : reports.max()
    }
}
