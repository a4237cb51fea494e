import Foundation
import JobKit
import Resource
import ServingKit

/// Where a model's files lie and how they are served (M-1). The API has checked it.
package struct ModelSpec: ResourceSpec {
    package var format: ModelFormat
    /// Of the framework, where it is known.
    package var frameworkVersion: String?
    /// A storage URI; nil where a parameter names a Hugging Face model.
    package var artifact: String?
    package var parameters: [JobParameter]
    package var origin: ModelOrigin?

    package var references: [Reference] {
        // What it was made from cannot go while it is there (T-10).
        origin.map { [Reference($0.key)] } ?? []
    }
}

package enum ModelPhase: String, Phase {
    case createRequested = "CREATE_REQUESTED"
    case createInProgress = "CREATE_IN_PROGRESS"
    case active = "ACTIVE"
    case createFailed = "CREATE_FAILED"
    case deleteInProgress = "DELETE_IN_PROGRESS"
    case deleteFailed = "DELETE_FAILED"

    package var next: Set<ModelPhase> {
        switch self {
        case .createRequested: [.createInProgress, .createFailed, .deleteInProgress]
        case .createInProgress: [.active, .createFailed, .deleteInProgress]
        case .active, .createFailed, .deleteFailed: [.deleteInProgress]
        case .deleteInProgress: [.deleteFailed]
        }
    }

    package var isSettled: Bool { self == .active || self == .createFailed || self == .deleteFailed }
    package var isFailure: Bool { self == .createFailed || self == .deleteFailed }
}

package struct ModelStatus: ResourceStatus {
    package var phase = ModelPhase.createRequested
    package var cause: String?

    package init() {}
}

package typealias Model = Resource<ModelSpec, ModelStatus>

extension ResourceKind {
    static let model = ResourceKind("model")
}

extension Model {
    package var served: ServedModel {
        ServedModel(
            id: id, name: metadata.name, format: spec.format, artifact: spec.artifact, parameters: spec.parameters)
    }
}
