#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What an agent last recorded about its task. Written atomically to `state.json`, so that a server that comes back finds
/// either the state before or the state after a step, never half of one.
package struct TaskState: Codable, Sendable, Equatable {
    package enum Phase: String, Codable, Sendable, CaseIterable {
        /// Fetching inputs, installing packages.
        case preparing
        /// The user's process runs.
        case running
        /// It has ended; outputs are being uploaded.
        case finishing
        case ended
    }

    package enum Outcome: String, Codable, Sendable {
        case succeeded
        /// It never ran: inputs, image or requirements were at fault.
        case failedToPrepare
        /// It ran and failed, or its outputs could not be kept.
        case failed
        case timedOut
        case stopped
        /// The agent vanished.
        case lost
    }

    package var phase: Phase
    package var outcome: Outcome?
    /// What is being done, or why it failed: one line.
    package var cause: String?
    /// The user's process: exit status, or the negative signal number as Python reports it.
    package var exitCode: Int?
    package var agentPID: Int32
    /// Process group of the user's processes, to end them if the agent was killed.
    package var processGroup: Int32?
    /// The moment that the process group's leader started, in clock ticks since boot: guards against reused ids.
    package var processStart: UInt64?
    package var startedAt: Date
    package var runningAt: Date?
    package var endedAt: Date?
    /// How the task was isolated, for the details page ("bubblewrap, memory cgroup").
    package var isolation: String?
    /// How its interpreter was started, and why so: "forked from …" or "cold: …".
    package var start: String?

    /// Of a session's volumes that have a limit.
    package var volumes: [VolumeUse]?
    /// How many of a session's processes were killed for memory.
    package var memoryKills: Int?

    /// How full a volume is.
    package struct VolumeUse: Codable, Sendable, Equatable {
        package var name: String
        package var usedMiB: Int
        package var limitMiB: Int
        /// Nothing can be written until something is deleted.
        package var isFull: Bool { usedMiB >= limitMiB }

        package init(name: String, usedMiB: Int, limitMiB: Int) {
            self.name = name
            self.usedMiB = usedMiB
            self.limitMiB = limitMiB
        }
    }

    package init(agentPID: Int32, startedAt: Date) {
        self.phase = .preparing
        self.agentPID = agentPID
        self.startedAt = startedAt
    }

    package var hasEnded: Bool { phase == .ended }
}
