import Engine
import Foundation
import JobKit
import Resource

/// What a user asks of a training (T-1 to T-7). The API has checked it against images, flavors and storage.
package struct TrainingSpec: ResourceSpec {
    package var experimentID: String
    package var job: JobSpec
    package var hyperparameters: [JobParameter]
    /// The name of its folder in TensorBoard: readable, different from every other's, and kept when the training is renamed.
    package var runName: String

    private enum Key: String, CodingKey { case experimentID, hyperparameters, runName }

    package init(experimentID: String, job: JobSpec, hyperparameters: [JobParameter], runName: String) {
        self.experimentID = experimentID
        self.job = job
        self.hyperparameters = hyperparameters
        self.runName = runName
    }

    // Stored as one flat object.

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        experimentID = try container.decode(String.self, forKey: .experimentID)
        hyperparameters = try container.decode([JobParameter].self, forKey: .hyperparameters)
        runName = try container.decode(String.self, forKey: .runName)
        job = try JobSpec(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(experimentID, forKey: .experimentID)
        try container.encode(hyperparameters, forKey: .hyperparameters)
        try container.encode(runName, forKey: .runName)
        try job.encode(to: encoder)
    }

    package var references: [Reference] {
        // A finished training outlives its experiment.
        [Reference(ResourceKey(.experiment, experimentID), .whileUnsettled)]
    }
}

package enum TrainingPhase: String, Phase {
    case createRequested = "CREATE_REQUESTED"
    case createInProgress = "CREATE_IN_PROGRESS"
    case running = "RUNNING"
    case stopInProgress = "STOP_IN_PROGRESS"
    case stopped = "STOPPED"
    case completeInProgress = "COMPLETE_IN_PROGRESS"
    case complete = "COMPLETE"
    case failInProgress = "FAIL_TRAIN_IN_PROGRESS"
    case fail = "FAIL_TRAIN"
    case createFailed = "CREATE_FAILED"

    package var next: Set<TrainingPhase> {
        switch self {
        case .createRequested: [.createInProgress, .createFailed, .stopInProgress]
        // A short program may have come and gone before anyone looked.
        case .createInProgress:
            [.running, .createFailed, .stopInProgress, .completeInProgress, .complete, .failInProgress, .fail]
        case .running: [.completeInProgress, .complete, .failInProgress, .fail, .stopInProgress]
        case .completeInProgress: [.complete, .failInProgress, .fail]
        case .failInProgress: [.fail]
        case .stopInProgress: [.stopped]
        case .stopped, .complete, .fail, .createFailed: []
        }
    }

    package var isSettled: Bool { next.isEmpty }
    package var isFailure: Bool { self == .fail || self == .createFailed || self == .failInProgress }
    /// What a user can still stop.
    package var isStoppable: Bool { next.contains(.stopInProgress) }
}

package struct TrainingStatus: ResourceStatus {
    package var phase = TrainingPhase.createRequested
    package var cause: String?
    /// The moment that the first node's program ran.
    package var startedAt: Date?
    package var endedAt: Date?
    /// Of the node that decided: exit status, or the negative signal.
    package var exitCode: Int?
    package var isolation: String?
    /// How its interpreter was started.
    package var start: String?

    package init() {}

    /// Seconds that the program has run.
    package func elapsed(at now: Date) -> Int {
        guard let startedAt else { return 0 }
        return max(0, Int((endedAt ?? now).timeIntervalSince(startedAt)))
    }
}

package typealias Training = Resource<TrainingSpec, TrainingStatus>

extension ResourceKind {
    static let training = ResourceKind("training")
}

extension Training {
    /// The workload of a training has the training's id: launching it twice is launching it once.
    var workloadID: String { id }

    /// Below the server's home; a sibling of the experiment's other trainings, so that TensorBoard shows them together.
    var tensorBoardFolder: String {
        "tensorboard/\(metadata.project)/\(spec.experimentID)/\(spec.runName)"
    }

    func workload(in environment: JobEnvironment) -> Workload {
        spec.job.workload(
            JobRun(
                id: workloadID, owner: key, project: metadata.project, title: metadata.name,
                hyperparameters: spec.hyperparameters, tensorBoardFolder: tensorBoardFolder,
                timeLimit: spec.job.timeoutMinutes * 60, waitsForWarmth: false),
            in: environment)
    }
}
