import FeatureKit
import Foundation
import JobKit

/// What the sampler is asked, and what it answers (Python/takumi_runtime/sampler.py).
struct SamplerRequest: Encodable, Sendable {
    struct Settings: Encodable, Sendable {
        var strategy: String
        var direction: String
        var seed: Int
        var parallel: Int
        var space: [Parameter]
        var grid: [String: [String]]?
    }

    struct Parameter: Encodable, Sendable {
        var name: String
        var type: String
        var min: Double?
        var max: Double?
        var step: Double?
        var log: Bool?
        var choices: [String]?
    }

    /// A trial as the search sees it. Numbers are from 0 on.
    struct Trial: Encodable, Sendable {
        var number: Int
        var state: String
        var parameters: [String: String]
        var value: Double?
        var step: Int?
        var attributes: JSONText?
    }

    var study: String
    var settings: Settings
    var expects: Int
    var trials: [Trial]
    var count: Int?
}

struct SamplerAnswer: Decodable, Sendable {
    struct Suggestion: Decodable, Sendable {
        var number: Int
        var parameters: [String: String]
        var attributes: JSONText?
    }

    var resync: Bool?
    var suggestions: [Suggestion]?
    var exhausted: Bool?
    var importances: [String: Double]?
    var reason: String?
    var error: String?
}

extension SamplerRequest.Settings {
    init(_ spec: TuningSpec) {
        strategy = spec.strategy.rawValue
        direction = spec.objective.direction.rawValue
        seed = spec.randomState
        parallel = spec.parallelTrials
        space = spec.parameters.map { parameter in
            var item = SamplerRequest.Parameter(name: parameter.name, type: "")
            switch parameter.space {
            case .double(let range, let step, let log):
                (item.type, item.min, item.max) = ("double", range.lowerBound, range.upperBound)
                (item.step, item.log) = (step, log)
            case .int(let range, let step, let log):
                (item.type, item.min, item.max) = ("int", Double(range.lowerBound), Double(range.upperBound))
                (item.step, item.log) = (Double(step), log)
            case .discrete(let values), .categorical(let values):
                (item.type, item.choices) = ("categorical", values)
            }
            return item
        }
        if spec.strategy == .grid {
            grid = Dictionary(uniqueKeysWithValues: spec.parameters.map { ($0.name, $0.grid ?? []) })
        }
    }
}

extension SamplerRequest.Trial {
    init(_ trial: Trial) {
        number = trial.spec.number - 1
        parameters = Dictionary(trial.spec.parameters.map { ($0.name, $0.value) }) { $1 }
        attributes = trial.spec.attributes.flatMap(JSONText.init(text:))
        value = trial.status.value
        switch trial.status.phase {
        case .created, .running: state = "RUNNING"
        case .succeeded: state = "COMPLETE"
        case .earlyStopped:
            state = "PRUNED"
            step = trial.status.reports
        case .failed, .metricsUnavailable: state = "FAIL"
        case .killed: state = "KILLED"
        }
    }
}
