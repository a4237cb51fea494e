import Engine
import Resource

/// An engine whose observations a test sets, for reconcilers and routes without processes.
package actor FakeEngine: Engine {
    package private(set) var launched: [Workload] = []
    package private(set) var stopped: [String] = []
    private var observations: [String: Observation] = [:]
    private let total: Capacity

    package init(capacity: Capacity = Capacity(cpus: 8, memoryMiB: 16_384, gpus: 0)) { total = capacity }

    package func set(_ id: String, _ observation: Observation?) { observations[id] = observation }

    package func launch(_ workload: Workload) {
        guard !launched.contains(where: { $0.id == workload.id }) else { return }
        launched.append(workload)
        observations[workload.id] = Observation(tasks: workload.tasks.map { _ in nil })
    }

    package func observe(_ id: String) -> Observation? { observations[id] }
    package func stop(_ id: String) { stopped.append(id) }
    private var removalFailure: (any Error)?
    /// What `remove` throws from now on.
    package func failRemovals(with error: (any Error)?) { removalFailure = error }
    package func remove(_ id: String) throws {
        if let removalFailure { throw removalFailure }
        observations[id] = nil
    }
    package func activeIDs() -> [String] { Array(observations.keys) }
    package func capacity() -> Capacity { total }
    package func check(_ tasks: [Resources]) throws { try Admission(capacity: total).check(tasks) }
}
