import Foundation
import Hummingbird
import Resource

/// The query of a request, decoded as forms are: a plus sign is a space, as Python's clients write it.
package struct QueryItems: Sendable {
    private var values: [String: [String]] = [:]

    package init(_ request: Request) {
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { part in
                let text = String(part).replacing("+", with: " ")
                return text.removingPercentEncoding ?? text
            }
            values[parts[0], default: []].append(parts.count > 1 ? parts[1] : "")
        }
    }

    package subscript(_ name: String) -> String? { values[name]?.last }

    package func all(_ name: String) -> [String] { values[name] ?? [] }

    package func flag(_ name: String) -> Bool { ["true", "1", ""].contains(self[name] ?? "false") }

    /// - Throws: `TakumiError.invalid` where the value is not a whole number from 0 on.
    package func number(_ name: String) throws -> Int? {
        guard let text = self[name] else { return nil }
        guard let value = Int(text), value >= 0 else {
            throw TakumiError.invalid(name, "'\(text.excerpt)' is not a whole number from 0 on")
        }
        return value
    }
}
