#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A key–value label on a resource (C-2).
package struct Tag: Sendable, Hashable, Codable {
    package var key: String
    package var value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// What every resource has, whatever its kind.
package struct Metadata: Sendable, Equatable {
    package let key: ResourceKey
    /// The app key of the project that owns it.
    package let project: String
    package var name: String
    package var description: String
    package var tags: [Tag]
    package let createdAt: Date
    package var updatedAt: Date
    /// Counts changes of the spec.
    package var generation: Int
    /// Counts every write; a status is written only over the version that was read.
    package var version: Int

    package init(
        key: ResourceKey, project: String, name: String, description: String = "", tags: [Tag] = [], createdAt: Date,
        updatedAt: Date? = nil, generation: Int = 1, version: Int = 1
    ) {
        self.key = key
        self.project = project
        self.name = name
        self.description = description
        self.tags = tags
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
        self.generation = generation
        self.version = version
    }
}
