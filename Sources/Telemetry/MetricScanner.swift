import Foundation
import Synchronization

/// Reads metrics out of a program's output: every `name = value` (SEMANTICS.md, the collector's default expression
/// `([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)`).
///
/// By hand and not with a regular expression, since a log may have a million lines: only what surrounds an equals sign is
/// looked at.
package enum MetricScanner {
    /// The reports of one line, in order. Text only: without the log's own time and stream.
    package static func reports(in line: String) -> [(name: String, value: Double)] {
        guard line.utf8.contains(0x3D) else { return [] }
        let bytes = Array(line.utf8)
        var found: [(name: String, value: Double)] = []
        for (index, byte) in bytes.enumerated() where byte == 0x3D {
            guard let name = name(before: index, in: bytes), let value = value(after: index, in: bytes) else {
                continue
            }
            found.append((name, value))
        }
        return found
    }

    private static func name(before equals: Int, in bytes: [UInt8]) -> String? {
        var end = equals
        while end > 0, isSpace(bytes[end - 1]) { end -= 1 }
        var start = end
        while start > 0, isName(bytes[start - 1]) { start -= 1 }
        // An option of a command line is no metric: `--epochs=20`.
        // Nor is a line of noise: a name that nobody could read.
        guard start < end, bytes[start] != 0x2D, end - start <= 100 else { return nil }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private static func value(after equals: Int, in bytes: [UInt8]) -> Double? {
        var start = equals + 1
        while start < bytes.count, isSpace(bytes[start]) { start += 1 }
        var end = start
        func digits() { while end < bytes.count, (0x30...0x39).contains(bytes[end]) { end += 1 } }
        if end < bytes.count, bytes[end] == 0x2B || bytes[end] == 0x2D { end += 1 }
        digits()
        if end + 1 < bytes.count, bytes[end] == 0x2E, (0x30...0x39).contains(bytes[end + 1]) {
            end += 1
            digits()
        }
        if end < bytes.count, bytes[end] == 0x45 || bytes[end] == 0x65 {
            var exponent = end + 1
            if exponent < bytes.count, bytes[exponent] == 0x2B || bytes[exponent] == 0x2D { exponent += 1 }
            if exponent < bytes.count, (0x30...0x39).contains(bytes[exponent]) {
                end = exponent
                digits()
            }
        }
        guard end > start else { return nil }
        return Double(String(decoding: bytes[start..<end], as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func isName(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
            || byte == 0x7C || byte == 0x2D || byte >= 0x80
    }
}

/// The reports of one metric of one run. Long series are thinned out evenly, so that memory and charts stay small.
package struct MetricSeries: Sendable, Equatable {
    /// Every `stride`th report: its number, from 1 on, and its value.
    package private(set) var points: [(step: Int, value: Double)] = []
    package private(set) var count = 0
    package private(set) var minimum = Double.infinity
    package private(set) var maximum = -Double.infinity
    package private(set) var latest = Double.nan
    private var stride = 1

    /// At most twice as many points are kept.
    private static let resolution = 500

    package init() {}

    package mutating func append(_ value: Double) {
        count += 1
        minimum = min(minimum, value)
        maximum = max(maximum, value)
        latest = value
        guard (count - 1) % stride == 0 else { return }
        points.append((count, value))
        if points.count > 2 * MetricSeries.resolution {
            stride *= 2
            points = points.filter { ($0.step - 1) % stride == 0 }
        }
    }

    /// The points with the last report, which thinning out may have dropped.
    package var curve: [(step: Int, value: Double)] {
        guard count > 0, points.last?.step != count else { return points }
        return points + [(count, latest)]
    }

    package static func == (left: MetricSeries, right: MetricSeries) -> Bool {
        left.count == right.count && left.points.elementsEqual(right.points, by: ==)
            && (left.latest == right.latest || left.count == 0)
    }
}

/// The metrics of one log, read on from where it was left.
package final class MetricLog: Sendable {
    private let path: String
    private let state = Mutex((offset: 0, series: [String: MetricSeries](), order: [String]()))
    /// A program that prints `x1 = …`, `x2 = …` without end must not fill the memory.
    private static let mostNames = 100

    package init(path: String) { self.path = path }

    /// Metrics in the order in which they first appeared. Reads what is new; for a thread that may wait.
    package func read() -> [(name: String, series: MetricSeries)] {
        state.withLock { state in
            let log = LogReader(path: path)
            while true {
                let chunk = log.read(from: state.offset)
                guard chunk.next > state.offset else { break }
                state.offset = chunk.next
                for (_, line) in chunk.lines where line.stream != .system {
                    for report in MetricScanner.reports(in: line.text) {
                        if state.series[report.name] == nil {
                            guard state.series.count < MetricLog.mostNames else { continue }
                            state.order.append(report.name)
                        }
                        state.series[report.name, default: MetricSeries()].append(report.value)
                    }
                }
            }
            return state.order.compactMap { name in state.series[name].map { (name, $0) } }
        }
    }
}
