import Foundation

/// Makes stylesheet and scripts smaller without understanding them: indentation and lines of comment go, which is a fifth
/// of them. Anything cleverer is a minifier's work, and no registry here has one that needs no Node.
enum Slim {
    static func style(_ data: Data) -> Data {
        lines(String(decoding: data, as: UTF8.self).replacing(/\/\*[\s\S]*?\*\//, with: ""))
    }

    /// The scripts keep to what this needs: no text of more than one line, and no code before or behind a comment's lines.
    static func script(_ data: Data) -> Data {
        var isComment = false
        return lines(String(decoding: data, as: UTF8.self)) { line in
            if isComment {
                isComment = !line.hasSuffix("*/")
                return false
            }
            if line.hasPrefix("/*") {
                isComment = !line.hasSuffix("*/")
                return false
            }
            return !line.hasPrefix("//")
        }
    }

    private static func lines(_ text: String, _ isKept: (Substring) -> Bool = { _ in true }) -> Data {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for line in text.split(separator: "\n") {
            let trimmed = line.drop { $0 == " " }
            guard !trimmed.isEmpty, isKept(trimmed) else { continue }
            result += trimmed
            result += "\n"
        }
        return Data(result.utf8)
    }
}
