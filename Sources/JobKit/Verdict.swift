import Engine
import Foundation

/// How a gang ended: by the first node that failed by itself. The others were stopped because of it.
package struct Verdict: Equatable, Sendable {
    package var succeeded: Bool
    package var cause: String?
    package var exitCode: Int?

    package init(_ tasks: [TaskState?]) {
        let ended = tasks.enumerated().compactMap { index, state in state.map { (index: index, state: $0) } }
            .filter { $0.state.hasEnded }
        let guilty = ended.filter { $0.state.outcome != .succeeded && $0.state.outcome != .stopped }
            .min { ($0.state.endedAt ?? .distantFuture) < ($1.state.endedAt ?? .distantFuture) }
        if let guilty {
            succeeded = false
            let reason = guilty.state.cause ?? "failed without a reason"
            cause = tasks.count > 1 ? "node \(guilty.index): \(reason)" : reason
            exitCode = guilty.state.exitCode
        } else if let stopped = ended.first(where: { $0.state.outcome == .stopped }) {
            (succeeded, cause, exitCode) = (false, "stopped from outside Takumi", stopped.state.exitCode)
        } else {
            (succeeded, cause, exitCode) = (!tasks.isEmpty, nil, ended.first?.state.exitCode)
        }
    }
}

extension Observation {
    package var hasEnded: Bool { tasks.allSatisfy { $0?.hasEnded == true } }
}
