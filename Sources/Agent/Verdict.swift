import Engine
import Foundation

/// What an exit means, in one line a user can act on.
struct Verdict: Equatable {
    var outcome: TaskState.Outcome
    var cause: String?

    init(exit: ChildExit, killedForMemory: Bool, spec: TaskSpec, limit: Int?) {
        if exit.stopped {
            (outcome, cause) = (.stopped, nil)
        } else if exit.timedOut {
            (outcome, cause) = (.timedOut, "ended after the maximum time of \(Verdict.duration(limit ?? 0))")
        } else if exit.code == 0 {
            (outcome, cause) = (.succeeded, nil)
        } else if killedForMemory {
            outcome = .failed
            cause = """
                killed: out of memory at \(gibibytes(spec.resources.memoryMiB)), the memory of the instance type; \
                choose a larger one or smaller batches
                """
        } else if exit.code < 0 {
            outcome = .failed
            cause = "killed by signal \(-exit.code) (\(String(cString: strsignal(Int32(-exit.code)))))"
        } else {
            (outcome, cause) = (
                .failed, "\(spec.entryPoint ?? "the program") ended with exit code \(exit.code); see the end of the log"
            )
        }
    }

    static func duration(_ seconds: Int) -> String {
        if seconds > 0, seconds % 3600 == 0 { return "\(seconds / 3600) h" }
        if seconds > 0, seconds % 60 == 0 { return "\(seconds / 60) min" }
        return "\(seconds) s"
    }
}
