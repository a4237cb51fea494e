/// The states of a training on the wire (T-8). A code of a newer server is none of them, and counts as unsettled.
enum TrainingState: String, CaseIterable {
    case createRequested = "CREATE_REQUESTED"
    case createInProgress = "CREATE_IN_PROGRESS"
    case running = "RUNNING"
    case completeInProgress = "COMPLETE_IN_PROGRESS"
    case complete = "COMPLETE"
    case stopInProgress = "STOP_IN_PROGRESS"
    case stopped = "STOPPED"
    case failTrainInProgress = "FAIL_TRAIN_IN_PROGRESS"
    case failTrain = "FAIL_TRAIN"
    case createFailed = "CREATE_FAILED"

    /// True where it stays as it is.
    var isSettled: Bool {
        switch self {
        case .complete, .stopped, .failTrain, .createFailed: true
        case .createRequested, .createInProgress, .running, .completeInProgress, .stopInProgress, .failTrainInProgress:
            false
        }
    }
}

/// What a command needs to know of a training.
struct TrainingView: Equatable, Sendable {
    var json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    var id: String { json["trainingId"].text }
    var name: String { json["trainingName"].text }
    var code: String { json["trainingStatusCode"].text }
    var state: TrainingState? { TrainingState(rawValue: code) }
    /// What it waits for, or why it failed.
    var reason: String? { json["statusReason"].string.flatMap { $0.isEmpty ? nil : $0 } }
    var exitCode: Int? { json["exitCode"].int }
    var elapsed: Int? { json["elapsedTimeSeconds"].int }
    var nodes: Int { max(1, json["instanceCount"].int ?? 1) }
    var modelURI: String? { json["modelUploadUri"].string }
    var checkpointURI: String? { json["checkPointUploadUri"].string }
    var tensorboard: String? { json["tensorboardAccessUri"].string.flatMap { $0.isEmpty ? nil : $0 } }
    var isSettled: Bool { state?.isSettled ?? false }

    /// The exit status of a command that waited for it: 0 for COMPLETE; of a failed script its own, or 128 and the
    /// signal that ended it, as a shell reports both; 1 for anything else that is no success.
    var exitStatus: Int32 {
        switch state {
        case .complete: 0
        case .failTrain: Self.shellStatus(exitCode)
        case .stopped, .createFailed, .none: ExitStatus.failure
        case .createRequested, .createInProgress, .running, .completeInProgress, .stopInProgress, .failTrainInProgress:
            ExitStatus.failure
        }
    }

    private static func shellStatus(_ code: Int?) -> Int32 {
        switch code {
        case .some(1...255): Int32(code ?? 1)
        // Python's way of saying that a signal ended it; 9 is what running out of memory looks like.
        case .some(-64 ... -1): Int32(128 - (code ?? 0))
        // The script was fine and the training failed all the same: over time, or its output could not be kept.
        default: ExitStatus.failure
        }
    }
}
