import JobKit
import Resource

/// Saved settings of trainings and tunings (TT-1), each of them optional.
package struct TemplateSpec: ResourceSpec {
    package var settings: JobSettings
}

/// A template does nothing, so nothing becomes of it.
package enum TemplatePhase: String, Phase {
    case active = "ACTIVE"

    package var next: Set<TemplatePhase> { [] }
    package var isSettled: Bool { true }
    package var isFailure: Bool { false }
}

package struct TemplateStatus: ResourceStatus {
    package var phase = TemplatePhase.active
    package var cause: String?

    package init() {}
}

package typealias Template = Resource<TemplateSpec, TemplateStatus>

extension ResourceKind {
    static let template = ResourceKind("trainingTemplate")
}
