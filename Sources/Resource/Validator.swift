/// Collects every problem of a request, so that one answer names them all.
package struct Validator {
    package private(set) var problems: [TakumiError] = []

    package init() {}

    package mutating func refuse(_ field: String, _ message: String) {
        problems.append(.invalid(field, message))
    }

    package mutating func require(_ condition: Bool, _ field: String, _ message: @autoclosure () -> String) {
        if !condition { refuse(field, message()) }
    }

    /// A name of 1 to 50 characters (C-1) without control characters or a slash.
    package mutating func name(_ value: String?, _ field: String, limit: Int = Limits.name) {
        guard let value, !value.allSatisfy(\.isWhitespace) else { return refuse(field, "is required") }
        length(value, field, limit: limit)
        if value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) || value.contains("/") {
            refuse(
                field,
                "'\(value.excerpt)' has a slash or a control character; use letters, digits, spaces, '-', '_', '.'")
        }
    }

    package mutating func length(_ value: String?, _ field: String, limit: Int) {
        guard let value, value.count > limit else { return }
        refuse(field, "'\(value.excerpt)' has \(value.count) characters; at most \(limit) are allowed")
    }

    package mutating func range<T: Comparable>(_ value: T?, _ field: String, _ range: ClosedRange<T>) {
        guard let value, !range.contains(value) else { return }
        refuse(field, "\(value) is out of range; use \(range.lowerBound) to \(range.upperBound)")
    }

    package mutating func count(_ count: Int, _ field: String, limit: Int) {
        if count > limit { refuse(field, "has \(count) entries; at most \(limit) are allowed") }
    }

    package mutating func tags(_ tags: [Tag], _ field: String = "tagList") {
        count(tags.count, field, limit: Limits.tags)
        var seen: Set<String> = []
        for (index, tag) in tags.enumerated() {
            name(tag.key, "\(field)[\(index)].tagKey")
            length(tag.value, "\(field)[\(index)].tagValue", limit: Limits.description)
            if !seen.insert(tag.key).inserted {
                refuse("\(field)[\(index)].tagKey", "'\(tag.key.excerpt)' is given twice")
            }
        }
    }

    /// - Throws: `ValidationErrors` with everything found so far.
    package func check() throws {
        if !problems.isEmpty { throw ValidationErrors(problems) }
    }
}

/// The limits of SPEC.md that more than one kind shares.
package enum Limits {
    package static let name = 50
    package static let description = 255
    package static let uri = 255
    package static let tags = 10
}

extension String {
    /// At most 60 characters of a user's value, for error messages: one line, with control characters made visible.
    package var excerpt: String {
        let visible = unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } ? escaped : self
        return visible.count <= 60 ? visible : visible.prefix(57) + "…"
    }

    private var escaped: String {
        unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? $0.escaped(asASCII: true) : String($0) }.joined()
    }
}
