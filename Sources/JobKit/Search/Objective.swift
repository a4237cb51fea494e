import Foundation

/// What is to be optimised.
package struct Objective: Codable, Sendable, Equatable {
    package enum Direction: String, Codable, Sendable, CaseIterable {
        case minimize = "MINIMIZE"
        case maximize = "MAXIMIZE"
    }

    package var metric: String
    package var direction: Direction
    package var goal: Double?
    /// Which of a trial's reports counts.
    package var strategy: MetricStrategy

    package init(metric: String, direction: Direction, goal: Double?, strategy: MetricStrategy) {
        (self.metric, self.direction, self.goal, self.strategy) = (metric, direction, goal, strategy)
    }

    package func isBetter(_ value: Double, than other: Double) -> Bool {
        direction == .minimize ? value < other : value > other
    }

    /// Inclusive.
    package func reaches(_ value: Double) -> Bool {
        guard let goal else { return false }
        return direction == .minimize ? value <= goal : value >= goal
    }
}

/// How the next values are found.
package enum SearchStrategy: String, Codable, Sendable, CaseIterable {
    case grid = "GRID"
    case random = "RANDOM"
    case bayesian = "BAYESIAN_OPTIMIZATION"
    case gaussianProcess = "GAUSSIAN_PROCESS"
    case cmaEs = "CMA_ES"

    /// The nearest that the vendor's SDK knows: it reads no list with another code in it.
    package var vendorCode: String {
        switch self {
        case .grid, .random, .bayesian: rawValue
        case .gaussianProcess, .cmaEs: SearchStrategy.bayesian.rawValue
        }
    }
}

/// When a trial is not worth going on with.
package struct StoppingRule: Codable, Sendable, Equatable {
    package enum Rule: String, Codable, Sendable, CaseIterable {
        /// A true median, from the start step on.
        case median = "MEDIAN"
        /// As Katib reads it: an arithmetic mean, looked at once.
        case katibMedian = "MEDIAN_KATIB"
        case asha = "ASHA"

        /// The only one that the vendor's SDK knows.
        package var vendorCode: String { Rule.median.rawValue }
    }

    package var rule: Rule
    package var minTrials: Int
    package var startStep: Int

    package init(rule: Rule, minTrials: Int, startStep: Int) {
        (self.rule, self.minTrials, self.startStep) = (rule, minTrials, startStep)
    }
}
