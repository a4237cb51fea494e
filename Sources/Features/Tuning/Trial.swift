import Foundation
import JobKit
import Resource
import Telemetry

/// One training of a tuning, as it was suggested.
package struct TrialSpec: ResourceSpec {
    package var tuningID: String
    /// From 1 on.
    package var number: Int
    package var parameters: [JobParameter]
    /// What the sampler needs to go on from this trial after a restart: JSON, opaque to us.
    package var attributes: String?
    /// Katib's early stopping: the bound as it was when the trial was created.
    package var bound: Double?

    package var references: [Reference] { [Reference(ResourceKey(.tuning, tuningID), .part)] }
}

package enum TrialPhase: String, Phase {
    case created = "CREATED"
    case running = "RUNNING"
    case succeeded = "SUCCEEDED"
    case killed = "KILLED"
    case failed = "FAILED"
    case metricsUnavailable = "METRICS_UNAVAILABLE"
    case earlyStopped = "EARLY_STOPPED"

    package var next: Set<TrialPhase> {
        switch self {
        case .created: [.running, .succeeded, .killed, .failed, .metricsUnavailable, .earlyStopped]
        case .running: [.succeeded, .killed, .failed, .metricsUnavailable, .earlyStopped]
        case .succeeded, .killed, .failed, .metricsUnavailable, .earlyStopped: []
        }
    }

    package var isSettled: Bool { next.isEmpty }
    package var isFailure: Bool { self == .failed || self == .metricsUnavailable }
}

package struct TrialStatus: ResourceStatus {
    /// Why it is being ended before it has ended by itself.
    package enum Ending: String, Codable, Sendable { case killed, earlyStopped }

    package var phase = TrialPhase.created
    package var cause: String?
    package var ending: Ending?
    package var startedAt: Date?
    package var endedAt: Date?
    package var exitCode: Int?
    package var isolation: String?
    package var start: String?
    /// What it has reported, once it has ended.
    package var metrics: [MetricSummary] = []
    /// The objective's value; nil where there is none.
    package var value: Double?
    /// How often it reported the objective.
    package var reports = 0
    /// For the median rule: the mean of the first reports, as many as the rule's start step.
    package var firstMean: Double?
    /// For ASHA: the best value at each rung that it reached.
    package var rungs: [Double] = []

    package init() {}

    package func elapsed(at now: Date) -> Int {
        guard let startedAt else { return 0 }
        return max(0, Int((endedAt ?? now).timeIntervalSince(startedAt)))
    }
}

package typealias Trial = Resource<TrialSpec, TrialStatus>

extension Trial {
    var workloadID: String { id }

    static func name(_ number: Int) -> String { "trial-\(String(format: "%04d", number))" }

    /// The job of this trial: its own folders below the tuning's.
    func job(_ tuning: Tuning) -> JobSpec {
        func own(_ uri: String) -> String { "\(uri.hasSuffix("/") ? String(uri.dropLast()) : uri)/\(metadata.name)" }
        var job = tuning.spec.job
        job.modelOutput = own(job.modelOutput)
        job.checkpointOutput = job.checkpointOutput.map(own)
        return job
    }

    func run(_ tuning: Tuning, remaining: Int) -> JobRun {
        JobRun(
            id: workloadID, owner: tuning.key, project: metadata.project,
            title: "\(tuning.metadata.name) \(metadata.name)", hyperparameters: spec.parameters,
            tensorBoardFolder: "\(tuning.tensorBoardFolder)/\(metadata.name)", timeLimit: max(1, remaining),
            waitsForWarmth: tuning.spec.maxTrials != 1)
    }
}
