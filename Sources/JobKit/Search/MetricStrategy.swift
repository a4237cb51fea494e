import Foundation
import Telemetry

/// Which of a trial's reports of a metric stands for the trial (Katib's metric strategies).
package enum MetricStrategy: String, Codable, Sendable, CaseIterable {
    case min = "MIN"
    case max = "MAX"
    case latest = "LATEST"

    /// The best one, for the direction of the objective.
    package init(for direction: Objective.Direction) { self = direction == .minimize ? .min : .max }

    /// As text of the log; the latest where the other is not a number.
    package func text(_ summary: MetricSummary) -> String? {
        guard summary.count > 0 else { return nil }
        switch self {
        case .min: return summary.minimum ?? summary.latest
        case .max: return summary.maximum ?? summary.latest
        case .latest: return summary.latest
        }
    }

    package func value(_ summary: MetricSummary) -> Double? { text(summary).flatMap(MetricObservation.number) }
}
