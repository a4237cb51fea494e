import Foundation
import Resource

/// What a user asks of a training (T-1 to T-7). The API has checked it against images, flavors and storage.
package struct TrainingSpec: ResourceSpec {
    package struct Parameter: Codable, Sendable, Equatable {
        package var name: String
        package var value: String
    }

    package struct Dataset: Codable, Sendable, Equatable {
        package var name: String
        package var uri: String
    }

    package var experimentID: String
    package var imageID: String
    package var flavorID: String
    /// Nodes of the gang, 1 to 10.
    package var nodes: Int
    package var source: String
    package var entryPoint: String
    package var hyperparameters: [Parameter]
    package var datasets: [Dataset]
    package var checkpointInput: String?
    package var checkpointOutput: String?
    package var modelOutput: String
    package var usesTorchrun: Bool
    package var processesPerNode: Int?
    package var timeoutMinutes: Int
    package var usesLog: Bool
    /// GB; nil where the user did not say.
    package var dataStorageSize: Int?
    /// The name of its folder in TensorBoard: readable, different from every other's, and kept when the training is renamed.
    package var runName: String

    package var references: [Reference] {
        // A finished training outlives its experiment (X-4).
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
    static let experiment = ResourceKind("experiment")
}

extension Training {
    /// The workload of a training has the training's id: launching it twice is launching it once.
    var workloadID: String { id }

    /// Below the server's home; a sibling of the experiment's other trainings, so that TensorBoard shows them together.
    var tensorBoardFolder: String {
        "tensorboard/\(metadata.project)/\(spec.experimentID)/\(spec.runName)"
    }

    /// A name as one path component; names have no slashes, and a leading dot would hide the folder.
    static func runName(_ name: String, unique: String) -> String {
        "\(name.hasPrefix(".") ? "_\(name.dropFirst())" : name)-\(unique.prefix(8))"
    }
}
