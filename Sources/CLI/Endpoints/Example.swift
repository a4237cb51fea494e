/// A request that a model can answer, to begin with.
enum Example {
    /// More numbers than these nobody wants to see on a command line.
    private static let most = 64

    /// One instance of zeros, in the shape that the model takes.
    /// - Parameter metadata: what `GET /v2/models/{name}` answers.
    /// - Returns: nil where the model does not say what it takes, or takes too much for a line.
    static func body(_ metadata: JSONValue) -> String? {
        let inputs = metadata["inputs"].array ?? []
        var values: [(name: String, text: String)] = []
        for input in inputs {
            guard let text = value(input) else { return nil }
            values.append((input["name"].text, text))
        }
        guard let first = values.first else { return nil }
        if values.count == 1 { return "{\"instances\": [\(first.text)]}" }
        let fields = values.map { "\(JSONText.line(.string($0.name))): \($0.text)" }
        return "{\"instances\": [{\(fields.joined(separator: ", "))}]}"
    }

    /// One row of an input.
    private static func value(_ input: JSONValue) -> String? {
        let shape = (input["shape"].array ?? []).map { max(1, $0.int ?? 1) }.dropFirst()
        guard shape.reduce(1, { $0 &* $1 }) <= most, shape.allSatisfy({ $0 <= most }) else { return nil }
        let element: String
        switch input["datatype"].text.uppercased() {
        case "BYTES": element = "\"text\""
        case "BOOL": element = "false"
        case let type where type.hasPrefix("FP") || type == "BF16": element = "0.0"
        default: element = "0"
        }
        return shape.reversed().reduce(element) { inner, count in
            "[\(Array(repeating: inner, count: count).joined(separator: ", "))]"
        }
    }

    static func curl(_ url: String, _ body: String?, caFile: String?, needsKey: Bool) -> String {
        let trust = caFile.map { ["--cacert", RunText.quoted($0)] } ?? []
        let key = needsKey ? ["-H", "'X-API-Key: KEY'"] : []
        return (["curl"] + trust + key + [RunText.quoted(url), "-d", body.map(RunText.quoted) ?? "@request.json"])
            .joined(separator: " ")
    }
}
