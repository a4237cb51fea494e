/// What the user asked for. Written by the API only.
package protocol ResourceSpec: Codable, Sendable, Equatable {
    /// The resources that this one uses.
    var references: [Reference] { get }
}

extension ResourceSpec {
    package var references: [Reference] { [] }
}

/// That one resource uses another, and how long that stands in the way of deleting the other (C-7).
package struct Reference: Sendable, Hashable {
    package enum Hold: Int, Sendable {
        /// As long as there is still something to do for the one that refers.
        case whileUnsettled = 0
        /// As long as the one that refers exists.
        case always = 1
        /// Not at all: the one that refers is a part of the other, and goes with it.
        case part = 2
    }

    package var key: ResourceKey
    package var hold: Hold

    package init(_ key: ResourceKey, _ hold: Hold = .always) {
        self.key = key
        self.hold = hold
    }
}

/// What became of it. Written by the reconciler only.
package protocol ResourceStatus: Codable, Sendable, Equatable {
    associatedtype PhaseType: Phase
    var phase: PhaseType { get set }
    /// Why it failed or what it waits for: one line a user can act on.
    var cause: String? { get set }
}

/// A resource of one kind: metadata, what was asked for, and what became of it.
package struct Resource<Spec: ResourceSpec, Status: ResourceStatus>: Sendable, Equatable {
    package var metadata: Metadata
    package var spec: Spec
    package var status: Status

    package var key: ResourceKey { metadata.key }
    package var id: String { metadata.key.id }

    package init(metadata: Metadata, spec: Spec, status: Status) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}
