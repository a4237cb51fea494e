import Foundation
import JobKit

/// What the charts of a tuning are drawn from.
struct StudyData: Encodable, Sendable {
    struct Parameter: Encodable, Sendable {
        var name: String
        var type: String
        var log: Bool
        var min: Double?
        var max: Double?
        var choices: [String]?
    }

    struct Entry: Encodable, Sendable {
        var number: Int
        var name: String
        var href: String
        var state: String
        var value: Double?
        var parameters: [String: String]
    }

    struct Importance: Encodable, Sendable {
        var importances: [String: Double]?
        var reason: String?
    }

    var direction: String
    var objective: String
    var goal: Double?
    var parameters: [Parameter]
    var trials: [Entry]
    var trialCount: Int
    var importance: [String: Double]?
    var importanceReason: String?
    /// Where to ask for it, since it takes longer than all the rest; nil where it is in here, or cannot be.
    var importanceHref: String?

    init(_ tuning: Tuning, trials: [Entry], importance: Importance?, importanceHref: String) {
        direction = tuning.spec.objective.direction.rawValue
        objective = tuning.spec.objective.metric
        goal = tuning.spec.objective.goal
        parameters = tuning.spec.parameters.map(Parameter.init)
        self.trials = trials
        trialCount = tuning.status.counts.total
        self.importance = importance?.importances
        importanceReason = importance?.reason
        self.importanceHref = importance == nil ? importanceHref : nil
    }
}

extension StudyData.Entry {
    init(_ trial: Trial, base: String) {
        number = trial.spec.number
        name = trial.metadata.name
        href = "\(base)/trials/\(trial.id)"
        state = trial.status.phase.rawValue
        value = trial.status.value
        parameters = Dictionary(trial.spec.parameters.map { ($0.name, $0.value) }) { $1 }
    }
}

extension StudyData.Parameter {
    init(_ parameter: SearchParameter) {
        (name, log) = (parameter.name, false)
        switch parameter.space {
        case .double(let range, _, let log):
            (type, min, max, self.log) = ("double", range.lowerBound, range.upperBound, log)
        case .int(let range, _, let log):
            (type, min, max, self.log) = ("int", Double(range.lowerBound), Double(range.upperBound), log)
        case .discrete(let values): (type, choices) = ("discrete", values)
        case .categorical(let values): (type, choices) = ("categorical", values)
        }
    }
}
