import Foundation

/// One value of a table or of a list of facts.
package enum Cell: Sendable {
    case text(String)
    case link(String, href: String)
    /// The name of a row, which leads to its details.
    case title(String, href: String)
    /// A link that opens in a new window.
    case external(String, href: String)
    /// A path or an id: shown as it is, with a button that copies it.
    case code(String)
    case number(String)
    case badge(Badge)
    case badges([Badge])
    case time(Date?)
    /// Seconds until `end`, or counting from `start` on.
    case elapsed(start: Date?, end: Date?)
    case lines([String])

    package var model: [String: Any] {
        switch self {
        case .text(let text): return text.isEmpty ? ["none": true] : ["text": text]
        case .link(let text, let href): return ["link": ["text": text, "href": href]]
        case .title(let text, let href): return ["title": ["text": text, "href": href]]
        case .external(let text, let href): return ["external": ["text": text, "href": href]]
        case .code(let text): return text.isEmpty ? ["none": true] : ["code": text]
        case .number(let text): return ["number": text]
        case .badge(let badge): return ["badges": [badge.model]]
        case .badges(let badges): return ["badges": badges.map(\.model)]
        case .time(let date): return date.map { ["time": Cell.model($0)] } ?? ["none": true]
        case .elapsed(let start, let end):
            guard let start else { return ["none": true] }
            var model: [String: Any] = ["text": Cell.duration(Int((end ?? Date()).timeIntervalSince(start)))]
            if end == nil { model["start"] = start.formatted(.iso8601) }
            return ["elapsed": model]
        case .lines(let lines): return lines.isEmpty ? ["none": true] : ["lines": lines]
        }
    }

    /// A moment for machines and, without a script that knows the reader's clock, for people.
    package static func model(_ date: Date) -> [String: Any] {
        let iso = date.formatted(.iso8601)
        return ["iso": iso, "text": "\(iso.prefix(10)) \(iso.dropFirst(11).prefix(5)) UTC"]
    }

    /// `0:07`, `12:03`, `1:00:00`, `3 d 4:05:06`.
    package static func duration(_ seconds: Int) -> String {
        let seconds = max(0, seconds)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60)
        let days = seconds / 86_400
        let clock =
            hours > 0 || days > 0
            ? "\(hours):\(two(minutes)):\(two(seconds % 60))" : "\(minutes):\(two(seconds % 60))"
        return days > 0 ? "\(days) d \(clock)" : clock
    }

    /// A limit, which is mostly round: `30 d`, `12 h`, else as `duration`.
    package static func span(_ seconds: Int) -> String {
        if seconds % 86_400 == 0 { return "\(seconds / 86_400) d" }
        return seconds % 3600 == 0 ? "\(seconds / 3600) h" : duration(seconds)
    }

    /// `1.4 GiB`.
    package static func bytes(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
            if value < 1024 || unit == "TiB" {
                return unit == "B" ? "\(bytes) B" : String(format: value < 10 ? "%.1f %@" : "%.0f %@", value, unit)
            }
            value /= 1024
        }
        return "\(bytes) B"
    }
}

/// A card of facts on a page of details.
package struct FactCard: Sendable {
    package var title: String
    package var facts: [(name: String, value: Cell)]
    /// Over the whole width: for long lists.
    package var isWide: Bool

    package init(_ title: String, _ facts: [(name: String, value: Cell)], isWide: Bool = false) {
        self.title = title
        self.facts = facts
        self.isWide = isWide
    }

    package var model: [String: Any] {
        [
            "title": title, "isWide": isWide,
            "facts": facts.map { fact -> [String: Any] in ["name": fact.name, "cell": fact.value.model] },
        ]
    }
}
