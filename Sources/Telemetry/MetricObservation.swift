import Foundation
import Synchronization

/// What a run has reported about one metric (Katib's minimum, maximum and latest), as texts of the log.
package struct MetricSummary: Codable, Sendable, Equatable {
    package var name: String
    package var minimum: String?
    package var maximum: String?
    package var latest: String
    package var count: Int

    package init(name: String, minimum: String? = nil, maximum: String? = nil, latest: String, count: Int) {
        self.name = name
        self.minimum = minimum
        self.maximum = maximum
        self.latest = latest
        self.count = count
    }
}

/// Gathers the reports of one metric.
package struct MetricObservation: Sendable {
    package private(set) var summary: MetricSummary
    /// Values that are numbers, for curves.
    package private(set) var series = MetricSeries()
    /// Every number, in order, as far as `start` of a rule may ask for.
    package private(set) var first: [Double] = []
    private var bounds = (low: Double.infinity, high: -Double.infinity)
    private var latestTime: MetricTime?

    /// How many first values are kept.
    package static let firstCount = 1000

    package init(name: String) {
        summary = MetricSummary(name: name, latest: "", count: 0)
    }

    /// - Parameter time: RFC 3339; a report that is older than another never is the latest.
    package mutating func add(_ text: String, time: String?) {
        summary.count += 1
        let moment = time.flatMap { MetricTime($0) }
        let isOlder = if let moment, let latestTime { moment < latestTime } else { false }
        if !isOlder {
            summary.latest = text
            latestTime = moment ?? latestTime
        }
        guard let value = MetricObservation.number(text) else { return }
        series.append(value)
        if first.count < MetricObservation.firstCount { first.append(value) }
        if value < bounds.low { (bounds.low, summary.minimum) = (value, text) }
        if value > bounds.high { (bounds.high, summary.maximum) = (value, text) }
    }

    /// `.98`, `5` and `1E0` are numbers; what is infinite or not a number says nothing about an optimum.
    package static func number(_ text: String) -> Double? {
        Double(text).flatMap { $0.isFinite ? $0 : nil }
    }
}

/// The metrics of one run's log by a user's expression, read on from where it was left.
package final class MetricCollector: Sendable {
    private struct State {
        var offset = 0
        var observations: [MetricObservation]
    }

    private let path: String
    private let pattern: MetricPattern
    private let names: [String]
    private let state: Mutex<State>

    package init(path: String, pattern: MetricPattern, names: [String]) {
        self.path = path
        self.pattern = pattern
        self.names = names
        state = Mutex(State(observations: names.map { MetricObservation(name: $0) }))
    }

    /// One observation for each metric, in the order of the names; those of metrics that never appeared are empty. Reads
    /// what is new; for a thread that may wait.
    package func read() -> [MetricObservation] {
        state.withLock { state in
            let log = LogReader(path: path)
            while true {
                let chunk = log.read(from: state.offset)
                guard chunk.next > state.offset else { return state.observations }
                state.offset = chunk.next
                for (_, line) in chunk.lines where line.stream != .system {
                    for report in pattern.reports(in: line.text, of: names) {
                        guard let index = names.firstIndex(of: report.name) else { continue }
                        state.observations[index].add(report.text, time: report.time ?? line.time)
                    }
                }
            }
        }
    }
}
