/// The states of a tuning on the wire. A code of a newer server is none of them, and counts as unsettled.
enum TuningState: String, CaseIterable {
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

    /// True where it stays as it is, unless somebody lets it go on.
    var isSettled: Bool {
        switch self {
        case .complete, .stopped, .fail, .createFailed: true
        case .createRequested, .createInProgress, .running, .stopInProgress, .completeInProgress, .failInProgress: false
        }
    }
}

/// The states of a trial on the wire.
enum TrialState: String, CaseIterable {
    case created = "CREATED"
    case running = "RUNNING"
    case succeeded = "SUCCEEDED"
    case killed = "KILLED"
    case failed = "FAILED"
    case metricsUnavailable = "METRICS_UNAVAILABLE"
    case earlyStopped = "EARLY_STOPPED"

    var isSettled: Bool { self != .created && self != .running }
}

/// What a command needs to know of a tuning.
struct TuningView: Equatable, Sendable {
    var json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    var id: String { Tunings.id(json) }
    var name: String { Tunings.name(json) }
    var state: TuningState? { TuningState(rawValue: json["hyperparameterTuningStatusCode"].text) }
    var isSettled: Bool { state?.isSettled ?? false }
    /// What it waits for, or why it has ended.
    var reason: String? { json["statusReason"].string.flatMap { $0.isEmpty ? nil : $0 } }
    var elapsed: Int? { json["elapsedTimeSeconds"].int }
    var parallel: Int { max(1, json["parallelTrialCount"].int ?? 1) }
    /// Of each trial.
    var nodes: Int { max(1, (json["instanceCount"].int ?? 1) / parallel) }
    var isMinimized: Bool { json["objectiveTypeCode"].string == "MINIMIZE" }
    var best: JSONValue? { json["optimalTrial"].isNull ? nil : json["optimalTrial"] }

    /// `5 of 20`: how many trials have ended, and of how many where that is known.
    var progress: String {
        let ended = (json["trialCount"].int ?? 0) - (json["runningTrialCount"].int ?? 0)
        return "\(ended)" + (json["maxTrialCount"].int.map { " of \($0)" } ?? "")
    }

    /// `5 of 20 trials ended: 4 succeeded, 1 failed, 2 running`
    var counts: String {
        let parts = [
            ("successfulTrialCount", "succeeded"), ("earlyStoppedTrialCount", "stopped early"),
            ("failedTrialCount", "failed"), ("metricsUnavailableTrialCount", "without the metric"),
            ("killedTrialCount", "killed"), ("runningTrialCount", "running"),
        ].compactMap { field, word in
            json[field].int.flatMap { $0 > 0 ? "\($0) \(word)" : nil }
        }
        return "\(progress) trials ended\(parts.isEmpty ? "" : ": " + parts.joined(separator: ", "))"
    }

    /// `accuracy = 0.93 in trial-0004`
    var bestText: String {
        guard let best else { return "" }
        return "\(json["objectiveMetricName"].text) = \(best["objectiveValue"].text) in \(Trials.name(best))"
    }

    /// The exit status of a command that waited for it.
    var exitStatus: Int32 { state == .complete ? 0 : ExitStatus.failure }
}
