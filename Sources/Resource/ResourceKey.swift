/// What a resource is: `experiment`, `training`, … One per feature.
package struct ResourceKind: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package init(_ rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }
}

/// Names one resource across the product. Features refer to each other by this and never by type.
package struct ResourceKey: Hashable, Sendable, Codable, CustomStringConvertible {
    package let kind: ResourceKind
    /// A lower-case UUID.
    package let id: String

    package init(_ kind: ResourceKind, _ id: String) {
        self.kind = kind
        self.id = id
    }

    package var description: String { "\(kind)/\(id)" }
}
