import Foundation
import Resource

/// Groups trainings, tunings and pipeline runs. There is nothing to ask for but its name.
package struct ExperimentSpec: ResourceSpec {
    package init() {}
}

package enum ExperimentPhase: String, Phase {
    case createRequested = "CREATE_REQUESTED"
    case createInProgress = "CREATE_IN_PROGRESS"
    case createFailed = "CREATE_FAILED"
    case active = "ACTIVE"

    package var next: Set<ExperimentPhase> {
        switch self {
        case .createRequested: [.createInProgress, .createFailed]
        case .createInProgress: [.active, .createFailed]
        case .createFailed: [.createRequested]
        case .active: []
        }
    }

    package var isSettled: Bool { self == .active || self == .createFailed }
    package var isFailure: Bool { self == .createFailed }
}

package struct ExperimentStatus: ResourceStatus {
    package var phase = ExperimentPhase.createRequested
    package var cause: String?

    package init() {}
}

package typealias Experiment = Resource<ExperimentSpec, ExperimentStatus>

extension ResourceKind {
    static let experiment = ResourceKind("experiment")
}
