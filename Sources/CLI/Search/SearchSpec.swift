import ArgumentParser

/// `NAME=TYPE:VALUES` as typed: a hyperparameter, and where to look for its best value.
struct SearchSpec: Equatable, Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case double
        case int
        case categorical
        case discrete
    }

    enum Space: Equatable, Sendable {
        /// Numbers as typed: the API takes texts, and no digit is lost.
        case range(low: String, high: String, step: String?, isLog: Bool)
        case values([String])
    }

    var name: String
    var kind: Kind
    var space: Space

    /// - Throws: a `ValidationError` with what is wrong and how it is written.
    init(_ argument: String) throws {
        guard let pair = KeyValue(argument: argument) else {
            throw ValidationError("there is no NAME= before it; \(Kind.double.form("lr"))")
        }
        if pair.key.contains(where: \.isWhitespace) { throw ValidationError("a name has no spaces") }
        if pair.key.count > 255 {
            throw ValidationError("the name has \(pair.key.count) characters; at most 255 are allowed")
        }
        let parts = pair.value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard let kind = Kind(rawValue: parts[0]) else {
            throw ValidationError(
                "'\(parts[0])' is none of double, int, categorical and discrete; \(Kind.double.form(pair.key))")
        }
        let rest = parts.count > 1 ? parts[1] : ""
        name = pair.key
        self.kind = kind
        do {
            switch kind {
            case .double, .int: space = try Self.range(rest, kind)
            case .categorical, .discrete: space = .values(try Self.values(rest, kind))
            }
        } catch let wrong as Wrong {
            throw ValidationError("\(wrong.what); \(kind.form(pair.key))")
        }
    }

    /// What is wrong with the values.
    private struct Wrong: Error {
        var what: String

        init(_ what: String) { self.what = what }
    }

    private static func values(_ text: String, _ kind: Kind) throws -> [String] {
        let values = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmed }
        if values == [""] { throw Wrong("there are no values") }
        if values.contains("") { throw Wrong("there is an empty value between two commas") }
        if let twice = values.enumerated().first(where: { values.firstIndex(of: $1) != $0 }) {
            throw Wrong("'\(twice.element)' is given twice")
        }
        if kind == .discrete { for value in values { _ = try number(value, kind) } }
        return values
    }

    private static func range(_ text: String, _ kind: Kind) throws -> Space {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0).trimmed }
        let isLog = parts.last == "log"
        if isLog { parts.removeLast() }
        let bounds = ends(of: parts.first ?? "")
        guard bounds.count == 2, parts.count <= 2 else {
            throw Wrong(text.isEmpty ? "there is no range" : "'\(text)' is no range")
        }
        let step = parts.count == 2 ? parts[1] : nil
        let (low, high) = (try number(bounds[0], kind), try number(bounds[1], kind))
        if low > high { throw Wrong("\(bounds[0]) is above \(bounds[1])") }
        if isLog, low <= 0 { throw Wrong("\(bounds[0]) must be above 0 for a log scale") }
        if let step {
            if isLog { throw Wrong("a log scale has no steps") }
            let width = try number(step, kind)
            if width <= 0 { throw Wrong("the step \(step) must be above 0") }
            // 0.1 to 0.3 by 0.2 fits, whatever the last bit says.
            if width > (high - low) * (1 + 1e-9), high > low {
                throw Wrong("the step \(step) is larger than the range")
            }
        }
        return .range(low: bounds[0], high: bounds[1], step: step, isLog: isLog)
    }

    /// The texts on both sides of the first `..`; of a text without, that text.
    private static func ends(of text: String) -> [String] {
        let bytes = Array(text.utf8)
        let dot = UInt8(ascii: ".")
        guard let split = bytes.indices.dropLast().first(where: { bytes[$0] == dot && bytes[$0 + 1] == dot }) else {
            return [text]
        }
        return [bytes[..<split], bytes[(split + 2)...]].map { String(decoding: $0, as: UTF8.self) }
    }

    private static func number(_ text: String, _ kind: Kind) throws -> Double {
        guard let value = Double(text), value.isFinite else { throw Wrong("'\(text)' is not a number") }
        // Above this, a double does not have every whole number.
        if kind == .int, value != value.rounded() || abs(value) > 9e15 {
            throw Wrong("'\(text)' is not a whole number")
        }
        return value
    }
}

extension SearchSpec.Kind {
    /// How one is written.
    func form(_ name: String) -> String {
        switch self {
        case .double:
            "write \(name)=double:0.001..0.1, and behind it :0.01 for a step or :log for a log scale where you like"
        case .int: "write \(name)=int:1..9, and behind it :2 for a step or :log for a log scale where you like"
        case .categorical: "write \(name)=categorical:sgd,adam"
        case .discrete: "write \(name)=discrete:16,32,64"
        }
    }
}

extension SearchSpec {
    /// True where a grid would have infinitely many values.
    var isEndless: Bool {
        if kind == .double, case .range(_, _, nil, _) = space { true } else { false }
    }

    var wire: JSONValue {
        var fields: [String: JSONValue] = [
            "hyperparameterName": .string(name), "hyperparameterTypeCode": .string(kind.rawValue),
        ]
        switch space {
        case .values(let values): fields["hyperparameterSpecifiedValues"] = .string(values.joined(separator: ","))
        case .range(let low, let high, let step, let isLog):
            fields["hyperparameterMinValue"] = .string(low)
            fields["hyperparameterMaxValue"] = .string(high)
            if let step { fields["hyperparameterStep"] = .string(step) }
            if isLog { fields["hyperparameterScale"] = .string("log") }
        }
        return .object(fields)
    }

    /// One of the API's, as it would be typed.
    static func text(_ wire: JSONValue) -> String {
        let start = "\(wire["hyperparameterName"].text)=\(wire["hyperparameterTypeCode"].text):"
        let values = wire["hyperparameterSpecifiedValues"].text
        guard values.isEmpty else { return start + values }
        let step = wire["hyperparameterStep"].text
        let range = "\(wire["hyperparameterMinValue"].text)..\(wire["hyperparameterMaxValue"].text)"
        return start + range + (step.isEmpty ? "" : ":\(step)")
            + (wire["hyperparameterScale"].text == "log" ? ":log" : "")
    }
}
