import Console
import Hummingbird
import Storage
import Telemetry
import Web

/// What the script of a log's page asks for: lines by their numbers, and where a text occurs.
package struct LogAnswers: Sendable {
    private let index: LogIndex
    /// Nothing will be added to it.
    private let isEnded: Bool
    private let shown: @Sendable (LogLine) -> LogLine

    /// - Parameter shown: a line as people read it.
    package init(_ index: LogIndex, isEnded: Bool, shown: @escaping @Sendable (LogLine) -> LogLine = { $0 }) {
        (self.index, self.isEnded, self.shown) = (index, isEnded, shown)
    }

    private struct Lines: Encodable {
        struct Line: Encodable {
            var time: String
            var stream: String
            var text: String
        }
        var lineCount: Int
        var from: Int
        var lines: [Line]
        var ended: Bool
    }

    private struct Hits: Encodable {
        var total: Int
        var matches: [Int]
        var lineCount: Int
    }

    package func lines(_ query: QueryItems) async throws -> Response {
        let count = min(try query.number("count") ?? 1000, 1000)
        let last = try query.number("last").map { min($0, 1000) }
        let from = try query.number("from") ?? 0
        let (index, isEnded, shown) = (index, isEnded, shown)
        let answer = try await BlockingWork.run {
            let total = index.update()
            let first = last.map { max(0, total - $0) } ?? from
            let lines = index.lines(from: first, count: last ?? count)
            return Lines(
                lineCount: total, from: first,
                lines: lines.map(shown).map { .init(time: $0.time, stream: $0.stream.name, text: $0.text) },
                ended: isEnded)
        }
        return try PageJSON.response(answer)
    }

    package func search(_ query: QueryItems) async throws -> Response {
        let (index, text) = (index, query["q"] ?? "")
        return try PageJSON.response(
            try await BlockingWork.run {
                let (total, matches) = index.search(text, limit: 10_000)
                return Hits(total: total, matches: matches, lineCount: index.update())
            })
    }
}
