import Foundation
import Resource

/// A kind that only tests have.
package struct ThingSpec: ResourceSpec {
    package var color: String
    package var uses: [Reference] = []

    private enum CodingKeys: CodingKey { case color }

    package init(color: String, uses: [Reference] = []) {
        self.color = color
        self.uses = uses
    }

    package var references: [Reference] { uses }
}

package enum ThingPhase: String, Phase {
    case asked = "ASKED"
    case made = "MADE"

    package var next: Set<ThingPhase> { self == .asked ? [.made] : [] }
    package var isSettled: Bool { self == .made }
    package var isFailure: Bool { false }
}

package struct ThingStatus: ResourceStatus {
    package var phase = ThingPhase.asked
    package var cause: String?

    package init() {}
}

package typealias Thing = Resource<ThingSpec, ThingStatus>

extension ResourceKind {
    package static let thing = ResourceKind("thing")
}

extension Thing {
    package static func make(
        _ name: String, project: String = "default", color: String = "red", uses: [Reference] = [],
        isSettled: Bool = false
    ) -> Thing {
        var status = ThingStatus()
        if isSettled { status.phase = .made }
        return Thing(
            metadata: Metadata(
                key: ResourceKey(.thing, UUID().uuidString.lowercased()), project: project, name: name,
                createdAt: Date()),
            spec: ThingSpec(color: color, uses: uses), status: status)
    }
}
