import Foundation
import Gateway
import Web

/// A stage's calls over a time, as its page and clients read them.
struct StatisticsWire: Encodable, Sendable {
    struct Point: Encodable, Sendable {
        var time: String
        var callCount: Int
        var successCount: Int
        var clientErrorCount: Int
        var serverErrorCount: Int
        var latencyMedianMilliseconds: Double?
        var latency95Milliseconds: Double?
        var latency99Milliseconds: Double?
    }

    var total: Point
    var pointList: [Point]

    /// - Parameters:
    ///   - minutes: how far back.
    ///   - points: how many at most.
    init(_ statistics: StageStatistics, minutes: Int, points: Int = 120, now: Date) {
        let last = Int(now.timeIntervalSince1970 / 60)
        let recent = statistics.minutes.filter { $0.minute > last - minutes }
        let step = max(1, (minutes + points - 1) / points)
        total = Point(recent, at: last - minutes + 1)
        pointList = Dictionary(grouping: recent) { $0.minute / step }.sorted { $0.key < $1.key }
            .map { Point($0.value, at: $0.key * step) }
    }
}

extension StatisticsWire.Point {
    fileprivate init(_ minutes: [StageStatistics.Minute], at minute: Int) {
        var latencies = Array(repeating: 0, count: StageStatistics.bounds.count + 1)
        for one in minutes { for (index, count) in one.latencies.enumerated() { latencies[index] += count } }
        self.init(
            time: WireJSON.time(Date(timeIntervalSince1970: Double(minute) * 60)),
            callCount: minutes.reduce(0) { $0 + $1.calls }, successCount: minutes.reduce(0) { $0 + $1.succeeded },
            clientErrorCount: minutes.reduce(0) { $0 + $1.refused },
            serverErrorCount: minutes.reduce(0) { $0 + $1.failed },
            latencyMedianMilliseconds: StageStatistics.percentile(0.5, of: latencies),
            latency95Milliseconds: StageStatistics.percentile(0.95, of: latencies),
            latency99Milliseconds: StageStatistics.percentile(0.99, of: latencies))
    }
}
