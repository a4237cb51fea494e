/// Counts a stage's requests on one event loop, until they are merged with those of the others.
final class StageCounter {
    let stage: String
    private var minutes: [StageStatistics.Minute] = []

    init(stage: String) { self.stage = stage }

    /// - Parameters:
    ///   - status: What the client got; 499 where it went away before.
    ///   - minute: Since 1970.
    func record(status: Int, nanoseconds: Int64, minute: Int) {
        if minutes.last?.minute != minute { minutes.append(StageStatistics.Minute(minute: minute)) }
        minutes[minutes.count - 1].record(status: status, nanoseconds: nanoseconds)
    }

    /// What was counted since the last time.
    func take() -> [StageStatistics.Minute] {
        defer { minutes = [] }
        return minutes
    }
}

extension StageStatistics.Minute {
    mutating func record(status: Int, nanoseconds: Int64) {
        switch status {
        case ..<400: succeeded += 1
        case ..<500: refused += 1
        default: failed += 1
        }
        latencies[StageStatistics.latencyClass(nanoseconds: nanoseconds)] += 1
    }

    mutating func add(_ other: StageStatistics.Minute) {
        succeeded += other.succeeded
        refused += other.refused
        failed += other.failed
        for index in latencies.indices where index < other.latencies.count {
            latencies[index] += other.latencies[index]
        }
    }
}

extension StageStatistics {
    private static let boundsInNanoseconds = bounds.map { Int64($0 * 1e6) }

    /// The index of the first class whose bound is not below the time.
    static func latencyClass(nanoseconds: Int64) -> Int {
        let bounds = boundsInNanoseconds
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < nanoseconds { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Adds minutes, wherever they belong.
    mutating func merge(_ added: [Minute]) {
        for minute in added {
            var index = minutes.count
            while index > 0, minutes[index - 1].minute > minute.minute { index -= 1 }
            if index > 0, minutes[index - 1].minute == minute.minute {
                minutes[index - 1].add(minute)
            } else {
                minutes.insert(minute, at: index)
            }
        }
    }

    static let kept = 7 * 24 * 60

    mutating func dropOld(now minute: Int) {
        guard let first = minutes.first, first.minute <= minute - StageStatistics.kept else { return }
        minutes.removeAll { $0.minute <= minute - StageStatistics.kept }
    }
}
