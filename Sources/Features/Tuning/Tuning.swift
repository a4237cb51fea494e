import Foundation
import JobKit
import Resource

/// What a user asks of a hyperparameter tuning (H-1 to H-8). The API has checked it.
package struct TuningSpec: ResourceSpec {
    package var experimentID: String
    /// Of each trial; `modelOutput` and `checkpointOutput` are the folders that the trials' folders lie in.
    package var job: JobSpec
    package var strategy: SearchStrategy
    /// Same state, same history: same suggestions.
    package var randomState: Int
    package var parameters: [SearchParameter]
    package var metrics: [String]
    package var metricPattern: String
    package var objective: Objective
    package var maxFailedTrials: Int
    /// nil where only the grid, the goal or the time ends it.
    package var maxTrials: Int?
    package var parallelTrials: Int
    package var earlyStopping: StoppingRule?
    /// Seconds from the first trial's start; nil for the job's timeout.
    package var maxDuration: Int?
    /// The name of its folder in TensorBoard, as a training's.
    package var runName: String

    package var references: [Reference] {
        // As of a training: a finished one outlives its experiment.
        [Reference(ResourceKey(.experiment, experimentID), .whileUnsettled)]
    }

    /// Seconds that the whole tuning may take.
    var budget: Int { min(maxDuration ?? .max, job.timeoutMinutes * 60) }
}

package enum TuningPhase: String, Phase {
    case createRequested = "CREATE_REQUESTED"
    case createInProgress = "CREATE_IN_PROGRESS"
    case running = "RUNNING"
    case stopInProgress = "STOP_IN_PROGRESS"
    case stopped = "STOPPED"
    case completeInProgress = "COMPLETE_IN_PROGRESS"
    case complete = "COMPLETE"
    case failInProgress = "FAIL_HYPERPARAMETER_TUNING_IN_PROGRESS"
    case fail = "FAIL_HYPERPARAMETER_TUNING"
    case createFailed = "CREATE_FAILED"

    package var next: Set<TuningPhase> {
        switch self {
        case .createRequested: [.createInProgress, .createFailed, .stopInProgress]
        case .createInProgress:
            [.running, .createFailed, .stopInProgress, .completeInProgress, .complete, .failInProgress, .fail]
        case .running: [.completeInProgress, .complete, .failInProgress, .fail, .stopInProgress]
        case .completeInProgress: [.complete, .running]
        case .failInProgress: [.fail]
        case .stopInProgress: [.stopped]
        // More trials can be asked for afterwards.
        case .complete, .stopped, .fail: [.running]
        case .createFailed: []
        }
    }

    package var isSettled: Bool {
        switch self {
        case .complete, .stopped, .fail, .createFailed: true
        case .createRequested, .createInProgress, .running, .stopInProgress, .completeInProgress, .failInProgress: false
        }
    }

    package var isFailure: Bool { self == .fail || self == .createFailed || self == .failInProgress }
    /// No trial has run yet.
    var isBeingCreated: Bool { self == .createRequested || self == .createInProgress }
    package var isStoppable: Bool { !isSettled && next.contains(.stopInProgress) }
    /// Its trials are being ended, or have been.
    var isEnding: Bool {
        isSettled || self == .stopInProgress || self == .completeInProgress || self == .failInProgress
    }
}

package struct TuningStatus: ResourceStatus {
    /// Why it is COMPLETE: the vendor's three, and one for the time.
    package enum Reason: String, Codable, Sendable {
        case goalReached = "GoalReached"
        case maxTrialsReached = "MaxTrialsReached"
        case suggestionEndReached = "SuggestionEndReached"
        case timeLimitReached = "TimeLimitReached"
    }

    package struct Best: Codable, Sendable, Equatable {
        package var id: String
        package var number: Int
        package var name: String
        package var value: Double
    }

    package var phase = TuningPhase.createRequested
    package var cause: String?
    /// Of the trial that failed last.
    var lastFailure: String?
    package var reason: Reason?
    package var startedAt: Date?
    package var endedAt: Date?
    /// Of runs before the last one, where it was raised to go on.
    package var spentSeconds = 0
    /// How many trials there are in each state; written in one transaction with the trials.
    package var counts = TrialCounts()
    package var best: Best?
    /// The search has nothing left to suggest.
    package var isExhausted = false

    package init() {}

    /// Seconds that it has run.
    package func elapsed(at now: Date) -> Int { spentSeconds + lastRun(at: now) }

    /// Of these, since it was last raised: what a budget counts.
    func lastRun(at now: Date) -> Int {
        guard let startedAt else { return 0 }
        return max(0, Int((endedAt ?? now).timeIntervalSince(startedAt)))
    }
}

/// How many trials are in which state. Those that have not ended are counted together: which of them run stands with the
/// trials, and a count that changed with each start would cost a write of the tuning.
package struct TrialCounts: Codable, Sendable, Equatable {
    private var byPhase: [String: Int] = [:]

    package init(_ counts: [TrialPhase: Int] = [:]) {
        for (phase, count) in counts { byPhase[Self.key(phase), default: 0] += count }
    }

    private static func key(_ phase: TrialPhase) -> String {
        (phase.isSettled ? phase : TrialPhase.running).rawValue
    }

    /// Of `running` and of `created` those that have not ended.
    package subscript(_ phase: TrialPhase) -> Int { byPhase[Self.key(phase)] ?? 0 }

    package mutating func add(_ phase: TrialPhase) { byPhase[Self.key(phase), default: 0] += 1 }

    package mutating func move(from old: TrialPhase, to new: TrialPhase) {
        let (from, to) = (Self.key(old), Self.key(new))
        guard from != to else { return }
        byPhase[from, default: 0] -= 1
        if byPhase[from] == 0 { byPhase[from] = nil }
        byPhase[to, default: 0] += 1
    }

    package var total: Int { byPhase.values.reduce(0, +) }
    package var active: Int { self[.running] }
    package var completed: Int { total - active }
    /// What counts against the maximum of failed trials.
    package var failed: Int { self[.failed] + self[.metricsUnavailable] }
}

package typealias Tuning = Resource<TuningSpec, TuningStatus>

extension ResourceKind {
    package static let tuning = ResourceKind("hyperparameterTuning")
    package static let trial = ResourceKind("trial")
}

extension Tuning {
    /// Below the server's home, beside the experiment's trainings.
    var tensorBoardFolder: String { "tensorboard/\(metadata.project)/\(spec.experimentID)/\(spec.runName)" }
}
