/// JSON as text, its keys sorted, so that two calls print the same.
struct JSONText {
    private let isPretty: Bool
    private var text = ""

    private init(isPretty: Bool) { self.isPretty = isPretty }

    /// For people to read: two spaces a level, empty lists and objects on one line.
    static func pretty(_ value: JSONValue) -> String { text(value, isPretty: true) }

    static func line(_ value: JSONValue) -> String { text(value, isPretty: false) }

    private static func text(_ value: JSONValue, isPretty: Bool) -> String {
        var writer = JSONText(isPretty: isPretty)
        writer.write(value, indent: "")
        return writer.text
    }

    private mutating func write(_ value: JSONValue, indent: String) {
        switch value {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .double(let value): text += String(value)
        case .string(let value): write(value)
        case .array(let values):
            block("[", "]", values, indent: indent) { writer, value, indent in writer.write(value, indent: indent) }
        case .object(let fields):
            block("{", "}", fields.sorted { $0.key < $1.key }, indent: indent) { writer, field, indent in
                writer.write(field.key)
                writer.text += writer.isPretty ? ": " : ":"
                writer.write(field.value, indent: indent)
            }
        }
    }

    private mutating func block<Item>(
        _ open: String, _ close: String, _ items: [Item], indent: String, _ each: (inout JSONText, Item, String) -> Void
    ) {
        text += open
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            if isPretty { text += "\n\(indent)  " }
            each(&self, item, indent + "  ")
        }
        if isPretty, !items.isEmpty { text += "\n\(indent)" }
        text += close
    }

    private mutating func write(_ string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\0"..<" ", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
