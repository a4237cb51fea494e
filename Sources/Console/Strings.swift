import Foundation
import Resource
import Web
import Yams

/// Every text of the console in one language, from `Console/strings/LANGUAGE.yaml`.
package struct Strings: Sendable {
    package let language: Language
    package let table: [String: String]

    /// - Throws: where the table is missing or no table.
    package init(_ language: Language, files: ConsoleFiles) throws {
        self.language = language
        let name = "strings/\(language.rawValue).yaml"
        guard let data = files.contents[name] else { throw TakumiError(.failed, "the console has no \(name)") }
        table = try YAMLDecoder().decode([String: String].self, from: data)
    }

    /// - Parameter values: what replaces `{name}` in the text.
    /// - Returns: the key itself where there is no such text, which a test forbids.
    package func callAsFunction(_ key: String, _ values: [String: String] = [:]) -> String {
        var text = table[key] ?? key
        for (name, value) in values { text = text.replacing("{\(name)}", with: value) }
        return text
    }

    /// The text for a number of things: `KEY.one` for one, else `KEY.other`, with `{count}` replaced.
    package func count(_ key: String, _ count: Int) -> String {
        self("\(key).\(count == 1 ? "one" : "other")", ["count": number(count)])
    }

    /// With the separators of thousands that both languages use.
    package func number(_ value: Int) -> String {
        var digits = String(abs(value))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}
