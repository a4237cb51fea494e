import Foundation
import JobKit

/// When a tuning ends, and how many trials it starts: pure, in Katib's order (SEMANTICS.md).
enum TuningEnd: Equatable {
    case complete(TuningStatus.Reason)
    case fail(cause: String)
}

extension TuningSpec {
    /// - Parameters:
    ///   - best: the best value of all trials that have one.
    ///   - elapsed: seconds since the first trial ran.
    func end(_ counts: TrialCounts, best: Double?, isExhausted: Bool, elapsed: Int, lastFailure: String? = nil)
        -> TuningEnd?
    {
        if let best, objective.reaches(best) { return .complete(.goalReached) }
        if counts.failed >= max(1, maxFailedTrials) {
            let trials = counts.failed == 1 ? "1 trial" : "\(counts.failed) trials"
            let last = lastFailure.map { ", the last one: \($0)" } ?? ""
            return .fail(cause: "\(trials) failed or had no value of '\(objective.metric)'\(last)")
        }
        if let maxTrials, counts.completed >= maxTrials { return .complete(.maxTrialsReached) }
        if isExhausted, counts.active == 0 { return .complete(.suggestionEndReached) }
        if elapsed >= budget {
            if best != nil { return .complete(.timeLimitReached) }
            return .fail(cause: "no trial had a value of '\(objective.metric)' within \(budget) s")
        }
        return nil
    }

    /// How many new trials, and how many of the active ones are too many.
    func trialsToAdd(_ counts: TrialCounts) -> (add: Int, delete: Int) {
        let room = maxTrials.map { min($0 - counts.completed, parallelTrials) } ?? parallelTrials
        let difference = max(0, room) - counts.active
        return difference >= 0 ? (difference, 0) : (0, -difference)
    }
}
