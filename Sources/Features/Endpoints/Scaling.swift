import Foundation
import Resource
import Synchronization

/// What scaling remembers between its looks; a restarted server begins anew, and takes nothing away for five minutes.
final class Scaling: Sendable {
    private struct Memory {
        var scaler: PodScaler?
        var next: Date
        /// Counted since the server's start, so none at first.
        var requests = 0
        var usedAt: Date
    }

    /// Seconds between two looks.
    static let interval = 15.0
    private let memories = Mutex<[String: Memory]>([:])

    func forget(_ resource: String) { memories.withLock { $0[resource] = nil } }

    /// Seconds without a request; 0 where one has come since the last look.
    /// - Parameter isAsleep: it has no pods now, which a restart does not change.
    func idle(_ resource: String, count: Int, isAsleep: Bool, now: Date) -> Double {
        memories.withLock { memories in
            var memory =
                memories[resource]
                ?? Memory(next: now, usedAt: isAsleep ? .distantPast : now)
            if memory.requests != count { memory.usedAt = now }
            memory.requests = count
            memories[resource] = memory
            return now.timeIntervalSince(memory.usedAt)
        }
    }

    /// How many pods there are to be.
    func wanted(_ resource: StageResource, usages: [Double?], unready: Int, rule: PodAutoscaler, now: Date) -> Int {
        let current = resource.status.wanted ?? resource.spec.pods
        return memories.withLock { memories in
            var memory = memories[resource.id] ?? Memory(next: now, usedAt: now)
            var scaler = memory.scaler ?? PodScaler(current: current, now: now)
            defer {
                memory.scaler = scaler
                memories[resource.id] = memory
            }
            guard now >= memory.next else { return current }
            memory.next = now.addingTimeInterval(Scaling.interval)
            return scaler.wanted(
                current: current, usages: usages, unready: unready, target: Double(rule.target) / 100,
                range: resource.spec.pods...max(resource.spec.pods, rule.maxPods), now: now)
        }
    }
}
