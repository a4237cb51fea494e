import Foundation
import Resource

/// The fields of a form, in the order of the page. Names are paths into the JSON that the same request would be over the
/// API: `trainingName`, `hyperparameterList[0].parameterName`.
package struct FormFields: Sendable {
    package private(set) var pairs: [(name: String, value: String)] = []

    private static let longestName = 200
    /// Twice what any list may have: one row too many is refused with words, a thousand are not even looked at.
    package static let mostRows = 200

    package init() {}

    package init(_ pairs: [(name: String, value: String)]) { self.pairs = pairs }

    /// From `application/x-www-form-urlencoded`. Line ends become plain line feeds, as text areas show them.
    package init(encoded: String) {
        pairs = encoded.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { part in
                let text = String(part).replacing("+", with: " ")
                return (text.removingPercentEncoding ?? text).replacing("\r\n", with: "\n")
            }
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
    }

    package subscript(name: String) -> String? { pairs.last { $0.name == name }?.value }

    /// As typed, without the white space around it; nil for nothing.
    package func text(_ name: String) -> String? {
        let text = (self[name] ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : text
    }

    package func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    package mutating func set(_ name: String, _ value: String) {
        pairs.removeAll { $0.name == name }
        pairs.append((name, value))
    }

    /// Without fields that are empty, and with the rows of lists that are left numbered anew: what both the request and
    /// a form shown again must agree on.
    ///
    /// - Parameter verbatim: the last parts of names whose values keep the white space around them.
    package func compacted(verbatim: Set<String> = []) -> FormFields {
        var rows: [String: [Int: Int]] = [:]
        var result = FormFields()
        for (name, value) in pairs {
            // No form has names like these: whoever sends them wants the server to lose its way.
            guard name.utf8.count <= FormFields.longestName, name.count(where: { $0 == "." }) <= 2 else { continue }
            let trimmed = value.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !trimmed.isEmpty else { continue }
            let isVerbatim = verbatim.contains(name.split(separator: ".").last.map(String.init) ?? "")
            let text = isVerbatim ? value : trimmed
            guard let match = name.wholeMatch(of: /([^\[\]]+)\[(\d{1,6})\](.*)/), let index = Int(match.2) else {
                result.pairs.append((name, text))
                continue
            }
            let list = String(match.1)
            let row = rows[list]?[index] ?? rows[list]?.count ?? 0
            guard row < FormFields.mostRows else { continue }
            rows[list, default: [:]][index] = row
            result.pairs.append(("\(list)[\(row)]\(match.3)", text))
        }
        return result
    }

    /// Takes away the rows of a list in which nothing is filled in but these fields.
    package mutating func removeRows(of list: String, filledOnlyIn fields: Set<String>) {
        guard !fields.isEmpty else { return }
        func place(_ name: String) -> (row: Int, field: String)? {
            guard name.hasPrefix("\(list)["),
                let match = name.dropFirst(list.count).wholeMatch(of: /\[(\d{1,6})\]\.(.+)/)
            else { return nil }
            return Int(match.1).map { ($0, String(match.2)) }
        }
        var filled: Set<Int> = []
        for (name, value) in pairs where !value.allSatisfy(\.isWhitespace) {
            if let (row, field) = place(name), !fields.contains(field) { filled.insert(row) }
        }
        pairs.removeAll { pair in place(pair.name).map { !filled.contains($0.row) } ?? false }
    }

    /// How many rows of a list there are.
    package func rowCount(_ list: String) -> Int {
        (pairs.compactMap { $0.name.wholeMatch(of: /([^\[\]]+)\[(\d{1,6})\].*/) }
            .filter { $0.1 == list }.compactMap { Int($0.2) }.max() ?? -1) + 1
    }

    /// The request that this form, compacted, stands for.
    ///
    /// - Parameters:
    ///   - numbers: fields that are numbers; one that does not read as one stays a text, for the decoder to refuse.
    ///   - flags: fields that are true or false. An unchecked box is not sent, and so is false.
    package func json(numbers: Set<String>, flags: Set<String>) -> Data {
        var root = Node.object([:])
        for flag in flags { root.set([.key(flag)], .bool(false)) }
        for (name, text) in pairs {
            let value: Node =
                if flags.contains(name) {
                    .bool(["true", "on", "1"].contains(text))
                } else if numbers.contains(name),
                    let number = Double(text), number.isFinite
                { .number(number) } else { .text(text) }
            root.set(FormFields.path(name), value)
        }
        return (try? JSONEncoder().encode(root)) ?? Data("{}".utf8)
    }

    private static func path(_ name: String) -> [Step] {
        name.split(separator: ".").flatMap { part -> [Step] in
            guard let match = part.wholeMatch(of: /([^\[\]]+)\[(\d{1,6})\]/), let index = Int(match.2) else {
                return [.key(String(part))]
            }
            return [.key(String(match.1)), .index(index)]
        }
    }

    private enum Step {
        case key(String)
        case index(Int)
    }

    private enum Node: Encodable {
        case object([String: Node])
        case list([Node])
        case text(String)
        case number(Double)
        case bool(Bool)

        mutating func set(_ path: [Step], _ value: Node) {
            switch path.first {
            case nil: self = value
            case .key(let key):
                var members: [String: Node] = if case .object(let members) = self { members } else { [:] }
                members[key, default: .object([:])].set(Array(path.dropFirst()), value)
                self = .object(members)
            case .index(let index):
                var items: [Node] = if case .list(let items) = self { items } else { [] }
                // Compacted: rows come in order, so at most one is missing.
                while items.count <= index, items.count < 1000 { items.append(.object([:])) }
                if index < items.count { items[index].set(Array(path.dropFirst()), value) }
                self = .list(items)
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .object(let members): try container.encode(members)
            case .list(let items): try container.encode(items)
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .bool(let bool): try container.encode(bool)
            }
        }
    }
}
