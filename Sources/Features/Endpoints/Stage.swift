import Foundation
import Gateway
import Resource

/// One deployment of an endpoint's models: its instances, and how requests reach it (E-2).
package struct StageSpec: ResourceSpec {
    package var endpointID: String
    /// The address's part, which stays when the stage is renamed.
    package var path: String
    package var flavorID: String
    package var nodeCount: Int
    package var autoscaler: NodeAutoscaler?
    package var usesLog: Bool
    /// SHA-256 of the keys that clients must show; empty lets everybody in.
    package var keys: [String] = []
    /// Requests per second; nil for no limit.
    package var ratePerSecond: Int?
    /// Another stage of the endpoint that takes a part of this one's requests, in percent.
    package var canary: Share?
    /// Another stage that gets a copy of a part of them.
    package var shadow: Share?

    package struct Share: Codable, Sendable, Equatable {
        package var stageID: String
        package var percent: Int
    }

    /// Takes away what leads to a stage.
    mutating func forget(_ stage: String) {
        if canary?.stageID == stage { canary = nil }
        if shadow?.stageID == stage { shadow = nil }
    }

    package var references: [Reference] { [Reference(ResourceKey(.endpoint, endpointID), .part)] }

    /// What guards the default stage guards the one that takes its place, unless that has rules of its own: a switch opens
    /// an address to nobody, and whoever has a key goes on.
    mutating func takeProtection(of former: StageSpec) {
        if keys.isEmpty { keys = former.keys }
        ratePerSecond = ratePerSecond ?? former.ratePerSecond
    }
}

/// The rules by which a stage gets more or fewer instances.
package struct NodeAutoscaler: Codable, Sendable, Equatable {
    package var minNodes: Int
    package var maxNodes: Int
    package var scalesDown: Bool
    /// Percent of what an instance offers that its pods ask for; below it the instance is not needed.
    package var threshold: Int
    /// Minutes that an instance must have been unneeded before it goes.
    package var unneededMinutes: Int
    /// Minutes after the last instance came during which none goes.
    package var delayAfterAddMinutes: Int
}

package enum StagePhase: String, Phase {
    case createRequested = "CREATE_REQUESTED"
    case createInProgress = "CREATE_IN_PROGRESS"
    case deployInProgress = "DEPLOY_IN_PROGRESS"
    case deleteInProgress = "DELETE_IN_PROGRESS"
    case active = "ACTIVE"
    case createFailed = "CREATE_FAILED"
    case deployFailed = "DEPLOY_FAILED"

    package var next: Set<StagePhase> {
        switch self {
        case .createRequested: [.createInProgress, .createFailed, .deleteInProgress]
        case .createInProgress: [.deployInProgress, .createFailed, .deleteInProgress]
        case .deployInProgress: [.active, .deployFailed, .deleteInProgress]
        case .active: [.deployInProgress, .deployFailed, .deleteInProgress]
        case .createFailed, .deployFailed: [.deployInProgress, .deleteInProgress]
        case .deleteInProgress: []
        }
    }

    package var isSettled: Bool {
        switch self {
        case .active, .createFailed, .deployFailed: true
        case .createRequested, .createInProgress, .deployInProgress, .deleteInProgress: false
        }
    }

    package var isFailure: Bool { self == .createFailed || self == .deployFailed }
    /// Whether the gateway can be told of it anew.
    package var isDeployable: Bool { self == .active || self == .deployFailed }
}

package struct StageStatus: ResourceStatus {
    /// An instance: a slot that pods are placed on.
    package struct Node: Codable, Sendable, Equatable {
        package var number: Int
        package var addedAt: Date
        /// Since when its pods have asked for less than the threshold; nil where they do not.
        package var unneededSince: Date?
        /// Its pods are being moved, then it goes.
        package var isLeaving = false
    }

    package var phase = StagePhase.createRequested
    package var cause: String?
    package var nodes: [Node] = []
    /// The version of the platform that it was created by (12.7).
    package var platform: Int?
    /// It goes because another stage is the default in its place: long answers are waited for. Optional, since statuses from
    /// before it lack it.
    package var isReplaced: Bool?

    package init(platform: Int? = nil) { self.platform = platform }
}

package typealias Stage = Resource<StageSpec, StageStatus>
