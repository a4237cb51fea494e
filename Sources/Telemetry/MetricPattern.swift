import CRegex
import Foundation

/// How metrics stand in a log: a user's regular expression whose first group is the name and whose second is the value.
///
/// RE2 matches it: the syntax that Katib's users know, and one match takes no longer than the line is long. A line has many
/// matches, and each may look at all of the rest, so both are limited.
package final class MetricPattern: Sendable {
    /// `name = number` (SEMANTICS.md).
    package static let standard = #"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"#

    /// Of a line only so many bytes are looked at, and so many matches.
    package static let mostBytes = 8192
    package static let mostMatches = 256

    package struct Invalid: Error {
        /// What is wrong, as the rest of a sentence that begins with the expression.
        package var reason: String
    }

    package struct Report: Sendable, Equatable {
        package var name: String
        /// As it stands in the log; empty where the second group matched nothing.
        package var text: String
        /// The line's own leading RFC 3339 stamp.
        package var time: String?
    }

    /// Where the compiled expression lies. RE2 may be used from several threads at once, which a pointer's type cannot say.
    private let address: Int
    private var regex: OpaquePointer? { OpaquePointer(bitPattern: address) }

    package init(_ pattern: String) throws(Invalid) {
        var error = [CChar](repeating: 0, count: 256)
        let compiled = pattern.utf8CString.withUnsafeBufferPointer {
            takumi_regex_compile($0.baseAddress, UInt($0.count - 1), &error, 256)
        }
        guard let compiled else {
            let text = String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw Invalid(reason: "is no regular expression (RE2 syntax): \(text)")
        }
        guard takumi_regex_groups(compiled) >= 2 else {
            takumi_regex_free(compiled)
            throw Invalid(
                reason: "must have two groups in parentheses: the first for the name, the second for the value")
        }
        address = Int(bitPattern: compiled)
    }

    deinit { takumi_regex_free(regex) }

    /// The reports of one line about these metrics, in order.
    package func reports(in line: String, of metrics: [String]) -> [Report] {
        guard metrics.contains(where: line.contains) else { return [] }
        var found: [Report] = []
        var time: String?
        let bytes = Array(line.utf8.prefix(MetricPattern.mostBytes))
        let isCut = line.utf8.count > bytes.count
        func text(_ begin: Int, _ end: Int) -> String {
            String(decoding: bytes[begin..<end], as: UTF8.self).trimmingCharacters(in: .whitespaces)
        }
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.bindMemory(to: CChar.self).baseAddress else { return }
            var spans = [Int](repeating: 0, count: 6)
            var (start, matches) = (0, 0)
            while start <= bytes.count, matches < MetricPattern.mostMatches,
                takumi_regex_next(regex, base, UInt(bytes.count), UInt(start), &spans) == 1
            {
                matches += 1
                // What goes on behind the cut is not known: it may be half a number.
                if isCut, spans[1] == bytes.count { break }
                // An empty match must not be found for ever.
                start = max(spans[1], start + (spans[1] == spans[0] ? 1 : 0))
                if spans[1] == spans[0] { start = spans[1] + 1 }
                guard spans[2] >= 0 else { continue }
                let name = text(spans[2], spans[3])
                guard metrics.contains(name) else { continue }
                if found.isEmpty { time = MetricPattern.stamp(line) }
                found.append(Report(name: name, text: spans[4] < 0 ? "" : text(spans[4], spans[5]), time: time))
            }
        }
        return found
    }

    /// What the line begins with, if that is a moment of RFC 3339.
    private static func stamp(_ line: String) -> String? {
        guard line.first?.isNumber == true, let first = line.split(separator: " ", maxSplits: 1).first,
            (20...40).contains(first.count), MetricTime(String(first)) != nil
        else { return nil }
        return String(first)
    }
}

/// A moment of RFC 3339, to nanoseconds, for comparing reports.
package struct MetricTime: Comparable, Sendable {
    private var seconds: Int
    private var nanoseconds: Int

    package init?(_ text: String) {
        // Years to seconds, an optional fraction, the offset.
        guard let match = text.wholeMatch(of: #/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)/#),
            let date = try? Date(String(match.1) + String(match.3), strategy: .iso8601)
        else { return nil }
        seconds = Int(date.timeIntervalSince1970)
        nanoseconds = Int((match.2.map(String.init) ?? "").padding(toLength: 9, withPad: "0", startingAt: 0)) ?? 0
    }

    package static func < (left: MetricTime, right: MetricTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}
