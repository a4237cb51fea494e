import Console
import Foundation

/// A stage's calls over a time as charts.
struct StatisticsCharts {
    let wire: StatisticsWire
    /// How far back.
    let minutes: Int
    let now: Date
    let t: Strings

    /// What the page lets choose from: the last hour, day, week.
    static let ranges = [60, 1440, 10_080]
    static let points = 120

    private struct Point {
        var time: Double
        var value: StatisticsWire.Point
    }

    private var known: [Point] {
        wire.pointList.compactMap { point in
            (try? Date(point.time, strategy: .iso8601)).map { Point(time: $0.timeIntervalSince1970, value: point) }
        }
    }

    var charts: [Chart] {
        let known = known
        guard !known.isEmpty else { return [] }
        let byTime = Dictionary(known.map { ($0.time, $0.value) }) { $1 }
        let step = Double(60 * max(1, (minutes + StatisticsCharts.points - 1) / StatisticsCharts.points))
        let last = (now.timeIntervalSince1970 / step).rounded(.down) * step
        let first = last - (Double(minutes) * 60 / step - 1) * step
        let times = stride(from: first, through: last, by: step).map(\.self)
        // A minute without calls is a zero and not a gap: else a line would run high above a quiet hour.
        func counts(_ key: String, _ value: KeyPath<StatisticsWire.Point, Int>) -> Chart.Series {
            Chart.Series(
                label: t(key), points: times.map { [$0, Double(byTime[$0]?[keyPath: value] ?? 0)] })
        }
        func latencies(_ label: String, _ value: KeyPath<StatisticsWire.Point, Double?>) -> Chart.Series {
            Chart.Series(
                label: label,
                points: known.compactMap { point in point.value[keyPath: value].map { [point.time, $0] } })
        }
        var charts = [
            Chart(
                "calls", t("statistics.calls"), unit: "count", x: "time",
                [counts("statistics.calls", \.callCount), counts("statistics.success", \.successCount)]),
            Chart(
                "errors", t("statistics.errors"), unit: "count", x: "time",
                [
                    counts("statistics.clientErrors", \.clientErrorCount),
                    counts("statistics.serverErrors", \.serverErrorCount),
                ]),
            Chart(
                "latency", t("statistics.latency"), unit: "milliseconds", x: "time",
                [
                    latencies("p50", \.latencyMedianMilliseconds), latencies("p95", \.latency95Milliseconds),
                    latencies("p99", \.latency99Milliseconds),
                ]),
        ]
        for index in charts.indices { charts[index].range = [first, last] }
        return charts
    }
}
