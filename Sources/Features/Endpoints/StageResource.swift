import Foundation
import Resource
import ServingKit

/// A model on a stage: how much each of its pods gets, and how many there are (E-3).
package struct StageResourceSpec: ResourceSpec {
    package var endpointID: String
    package var stageID: String
    package var modelID: String
    /// The address's part: the model's name when the resource was made.
    package var path: String
    package var allotment: Allotment
    package var pods: Int
    package var autoscaler: PodAutoscaler?
    /// Minutes without a request after which it has no pod until the next one; nil for never.
    package var idleMinutes: Int?

    package var references: [Reference] {
        [
            Reference(ResourceKey(.stage, stageID), .part), Reference(ResourceKey(.endpoint, endpointID), .part),
            // M-7: a model that is served cannot go.
            Reference(ResourceKey(.model, modelID)),
        ]
    }
}

/// The rule by which a resource gets more or fewer pods.
package struct PodAutoscaler: Codable, Sendable, Equatable {
    package enum Metric: String, Codable, Sendable, CaseIterable {
        case cpu = "CPU_UTILIZATION"
        case memory = "MEMORY_UTILIZATION"
    }

    package var metric: Metric
    /// Percent of the allotment.
    package var target: Int
    package var maxPods: Int
}

package enum StageResourcePhase: String, Phase {
    case createRequested = "CREATE_REQUESTED"
    case createInProgress = "CREATE_IN_PROGRESS"
    case deleteInProgress = "DELETE_IN_PROGRESS"
    case active = "ACTIVE"
    case createFailed = "CREATE_FAILED"

    package var next: Set<StageResourcePhase> {
        switch self {
        case .createRequested: [.createInProgress, .createFailed, .deleteInProgress]
        case .createInProgress: [.active, .createFailed, .deleteInProgress]
        case .active, .createFailed: [.deleteInProgress]
        case .deleteInProgress: []
        }
    }

    package var isSettled: Bool { self == .active || self == .createFailed }
    package var isFailure: Bool { self == .createFailed }
}

package struct StageResourceStatus: ResourceStatus {
    package struct Pod: Codable, Sendable, Equatable {
        package enum Phase: String, Codable, Sendable {
            /// Fetches the model, loads it.
            case starting
            /// Has answered, and is asked.
            case ready
            /// Its worker has gone and is being started again.
            case unhealthy
            /// Gets no new requests; those on their way are answered.
            case draining
            case stopping
        }

        /// Of the workload.
        package var id: String
        package var phase = Phase.starting
        package var node: Int
        package var port: Int?
        package var grpcPort: Int?
        package var createdAt: Date
        package var readyAt: Date?
        package var leavingSince: Date?

        /// Counts towards what is wanted.
        package var isStaying: Bool { phase == .starting || phase == .ready || phase == .unhealthy }
    }

    package var phase = StageResourcePhase.createRequested
    package var cause: String?
    package var pods: [Pod] = []
    /// How many there are to be; nil before the first look.
    package var wanted: Int?
    /// Pods that ended by themselves, one after the other without one becoming ready in between.
    package var failures = 0
    package var failedAt: Date?

    package init() {}

    package var readyPods: Int { pods.count { $0.phase == .ready } }
}

package typealias StageResource = Resource<StageResourceSpec, StageResourceStatus>
