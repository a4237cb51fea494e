import Foundation
import Resource

/// An API service: the address that clients know, and which of its stages answers there (E-1).
package struct EndpointSpec: ResourceSpec {
    /// The address's part, which stays when the endpoint is renamed.
    package var path: String
    package var defaultStageID: String
    /// Stages that were the default before, the last one last, each as long as it is kept to go back to.
    package var formers: [Former] = []

    package struct Former: Codable, Sendable, Equatable {
        package var stageID: String
        package var keptUntil: Date
    }

    package init(path: String, defaultStageID: String) {
        (self.path, self.defaultStageID) = (path, defaultStageID)
    }

    /// Also of what was stored when there was one former default at most, or none.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        path = try fields.decode(String.self, forKey: .path)
        defaultStageID = try fields.decode(String.self, forKey: .defaultStageID)
        formers = try fields.decodeIfPresent([Former].self, forKey: .formers) ?? []
        let only = try decoder.container(keyedBy: OldKeys.self).decodeIfPresent(Former.self, forKey: .former)
        if let only { formers.append(only) }
    }

    private enum OldKeys: CodingKey {
        case former
    }

    /// That another stage becomes the default. Pure.
    mutating func makeDefault(_ stage: String, keepFormerUntil end: Date) {
        let isWayBack = formers.contains { $0.stageID == stage }
        formers.removeAll { $0.stageID == stage }
        // Going back keeps what was switched to: it is looked into, not thrown away.
        if !isWayBack { formers.append(.init(stageID: defaultStageID, keptUntil: end)) }
        defaultStageID = stage
    }
}

package enum EndpointPhase: String, Phase {
    case createRequested = "CREATE_REQUESTED"
    case createInProgress = "CREATE_IN_PROGRESS"
    case updateInProgress = "UPDATE_IN_PROGRESS"
    case deleteInProgress = "DELETE_IN_PROGRESS"
    case active = "ACTIVE"
    case createFailed = "CREATE_FAILED"
    case updateFailed = "UPDATE_FAILED"

    package var next: Set<EndpointPhase> {
        switch self {
        case .createRequested, .createInProgress: [.createInProgress, .active, .createFailed, .deleteInProgress]
        case .active, .updateInProgress, .updateFailed, .createFailed:
            [.active, .updateInProgress, .updateFailed, .createFailed, .deleteInProgress]
        case .deleteInProgress: []
        }
    }

    package var isSettled: Bool {
        switch self {
        case .active, .createFailed, .updateFailed: true
        case .createRequested, .createInProgress, .updateInProgress, .deleteInProgress: false
        }
    }

    package var isFailure: Bool { self == .createFailed || self == .updateFailed }
}

/// The state of the default stage at the gateway (E-5).
package enum GatewayPhase: String, Codable, Sendable {
    case createInProgress = "CREATE_IN_PROGRESS"
    case stageDeploying = "STAGE_DEPLOYING"
    case active = "ACTIVE"
    case notFoundStage = "NOT_FOUND_STAGE"
    case notFoundStageDeployResult = "NOT_FOUND_STAGE_DEPLOY_RESULT"
    case stageDeployFail = "STAGE_DEPLOY_FAIL"

    package init(_ stage: StagePhase?) {
        self =
            switch stage {
            case nil, .deleteInProgress: .notFoundStage
            case .createRequested, .createInProgress: .createInProgress
            case .deployInProgress: .stageDeploying
            case .active: .active
            case .createFailed: .notFoundStageDeployResult
            case .deployFailed: .stageDeployFail
            }
    }

    /// As SPEC.md shows it: `NOT FOUND: STAGE`.
    package var displayName: String {
        let words = rawValue.split(separator: "_").joined(separator: " ")
        return words.hasPrefix("NOT FOUND ") ? "NOT FOUND: \(words.dropFirst("NOT FOUND ".count))" : words
    }
}

package struct EndpointStatus: ResourceStatus {
    package var phase = EndpointPhase.createRequested
    package var cause: String?
    package var gateway = GatewayPhase.createInProgress

    package init() {}
}

package typealias Endpoint = Resource<EndpointSpec, EndpointStatus>

extension ResourceKind {
    static let endpoint = ResourceKind("endpoint")
    static let stage = ResourceKind("endpointStage")
    static let stageResource = ResourceKind("endpointModel")
    static let model = ResourceKind("model")
}

extension Endpoint {
    /// Pure: what its stages are → what it is.
    func status(stages: [Stage]) -> EndpointStatus {
        var next = status
        let main = stages.first { $0.id == spec.defaultStageID }
        next.gateway = GatewayPhase(main?.status.phase)
        next.cause = nil
        let isFirst = status.phase == .createRequested || status.phase == .createInProgress
        let busy = stages.first { !$0.status.phase.isSettled }
        let failed = stages.first { $0.status.phase.isFailure }
        func told(_ stage: Stage?) -> String? {
            stage.map { "stage '\($0.metadata.name)': \($0.status.cause ?? $0.status.phase.displayName)" }
        }
        switch (isFirst, busy, failed) {
        case (true, .some, _):
            next.phase = .createInProgress
            next.cause = busy?.status.cause
        case (true, nil, .some):
            next.phase = .createFailed
            next.cause = told(failed)
        case (false, .some, _):
            next.phase = .updateInProgress
            next.cause = told(busy)
        case (false, nil, .some):
            // Nothing of it has ever worked as long as its only stage has not.
            next.phase = stages.count == 1 && status.phase == .createFailed ? .createFailed : .updateFailed
            next.cause = told(failed)
        case (_, nil, nil):
            next.phase = main == nil ? .updateFailed : .active
            if main == nil { next.cause = "its default stage is gone; choose another as the default" }
        }
        return next
    }
}
