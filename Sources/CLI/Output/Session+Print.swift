extension Session {
    /// A list: the API's objects as they came, or a row each.
    func print(_ items: [JSONValue], columns: [Column], none: String) throws {
        switch format {
        case .json: printJSON(.array(items))
        case .table:
            guard !items.isEmpty else { return console.note(none) }
            let table = Table(
                columns: columns.map(\.heading), rows: items.map { item in columns.map { $0.value(item) } })
            table.lines(width: console.width).forEach(console.out)
        }
    }

    /// One resource: the API's object as it came, or a field a line.
    func print(_ item: JSONValue, details: (JSONValue) -> [(String, String)]) throws {
        switch format {
        case .json: printJSON(item)
        case .table: Details(fields: details(item).map { (name: $0, value: $1) }).lines().forEach(console.out)
        }
    }

    /// One of a kind, with the names of what it only has ids of.
    func print<N: Noun>(_ noun: N.Type, _ item: JSONValue) async throws {
        let shown = try await format == .json ? item : N.readable([item], self).first ?? item
        try print(shown, details: N.details)
    }

    func printJSON(_ value: JSONValue) {
        console.out(JSONText.pretty(value))
    }
}

/// A column of a list: its heading, and the cell that it shows of an API object.
struct Column: Sendable {
    var heading: Table.Column
    var value: @Sendable (JSONValue) -> String

    init(
        _ title: String, isNumber: Bool = false, isFlexible: Bool = false, isOptional: Bool = false,
        _ value: @escaping @Sendable (JSONValue) -> String
    ) {
        heading = Table.Column(title: title, isNumber: isNumber, isFlexible: isFlexible, isOptional: isOptional)
        self.value = value
    }
}
