import Resource

/// Runs workloads somewhere: processes on this machine, containers, pods.
package protocol Engine: Sendable {
    /// Accepts a workload. Launching an id again changes nothing, so a caller that was killed may simply call again.
    /// - Throws: `TakumiError.invalid` where it can never fit, with what it asks for and what there is.
    func launch(_ workload: Workload) async throws
    /// What is known of a workload; nil where it was never launched or has been removed.
    func observe(_ id: String) async -> Observation?
    /// Ends a workload, if need be by force after the tasks' grace. Returns at once.
    func stop(_ id: String) async
    /// Forgets a workload that has ended and deletes its files.
    func remove(_ id: String) async throws
    /// The ids of all workloads that have not ended.
    func activeIDs() async -> [String]
    /// What this engine offers and what of it is taken.
    func capacity() async -> Capacity
    /// - Throws: with the reason why the workload could never run here.
    func check(_ tasks: [Resources]) async throws
}

extension Engine {
    /// As `remove`, for a workload whose tasks have ended: an agent's last word comes a moment before the engine has taken
    /// note of it.
    package func removeEnded(_ id: String) async throws {
        for _ in 0..<50 {
            do {
                return try await remove(id)
            } catch let error as TakumiError where error.code == .conflict {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        try await remove(id)
    }
}

/// A workload as its engine sees it.
package struct Observation: Sendable, Equatable {
    package var tasks: [TaskState?]
    /// Why it has not started: what it waits for and who holds it. nil once admitted.
    package var waiting: String?
    package var stopRequested: Bool
    /// The TCP ports that the tasks were given, by task and name; empty until admitted.
    package var ports: [[String: Int]]

    package init(
        tasks: [TaskState?], waiting: String? = nil, stopRequested: Bool = false, ports: [[String: Int]] = []
    ) {
        self.tasks = tasks
        self.waiting = waiting
        self.stopRequested = stopRequested
        self.ports = ports
    }
}

/// Resources of one machine.
package struct Capacity: Codable, Sendable, Equatable {
    /// CPUs that admission hands out: the machine's times the overcommit.
    package var cpus: Int
    package var memoryMiB: Int
    package var gpus: Int
    package var usedCPUs = 0.0
    package var usedMemoryMiB = 0
    package var usedGPUs: [Int] = []
    /// Whether what is to run next waits for memory.
    package var isShortOfMemory = false

    package init(cpus: Int, memoryMiB: Int, gpus: Int) {
        self.cpus = cpus
        self.memoryMiB = memoryMiB
        self.gpus = gpus
    }
}
