import Catalog
import FeatureKit
import Foundation
import JobKit
import Resource
import ServingKit
import Store
import Web

/// A stage as the vendor's SDK reads it.
struct StageWire: Encodable, Sendable {
    struct AutoScaler: Encodable, Sendable {
        var enable: Bool
        var minNodeCount: Int?
        var maxNodeCount: Int?
        var scaleDownEnable: Bool?
        var scaleDownUtilThreshPercentage: Int?
        var scaleDownUnneededMinute: Int?
        var scaleDownDelayAfterAddMinute: Int?
    }

    var endpointStageId: String
    var endpointStageName: String
    var endpointStageStatusCode: String
    var statusReason: String?
    var description: String
    var appKey: String
    var createdDatetime: String
    var endpointId: String
    var endpointName: String
    var isDefaultStage: Bool
    var apigwStageId: String
    var apigwStageName: String
    /// Without its scheme, which is `https://`.
    var apigwStageUrl: String
    var deployStatus: String
    var flavor: JobWire.Flavor?
    var autoScaler: AutoScaler
    var nodeCount: Int
    var isActiveNodeGroupStatus: Bool
    /// False where it was created by an older version of the platform: until `expiredDatetime` another stage should take
    /// its place (12.7).
    var isClusterLatest: Bool
    var expiredDatetime: String?
    var podCount: Int
    var runningPodCount: Int
    var useLog: Bool
    var hasApiKey: Bool
    var ratePerSecond: Int?
    var canaryStageId: String?
    var canaryPercent: Int?
    var shadowStageId: String?
    var shadowPercent: Int?
    var endpointModelList: [StageResourceWire]
    var tagList: [WireTag]

    init(
        _ stage: Stage, of endpoint: Endpoint, resources: [StageResourceWire], flavor: Flavor?, gateway: String,
        expiry: Date?
    ) {
        let (metadata, spec, status) = (stage.metadata, stage.spec, stage.status)
        endpointStageId = stage.id
        endpointStageName = metadata.name
        endpointStageStatusCode = status.phase.rawValue
        statusReason = status.cause
        description = metadata.description
        appKey = metadata.project
        createdDatetime = WireJSON.time(metadata.createdAt)
        endpointId = endpoint.id
        endpointName = endpoint.metadata.name
        isDefaultStage = endpoint.spec.defaultStageID == stage.id
        apigwStageId = stage.id
        apigwStageName = metadata.name
        apigwStageUrl = gateway + endpoint.shownAddress(of: stage).pathEscapedParts
        deployStatus = GatewayPhase(status.phase).rawValue
        self.flavor = flavor.map(JobWire.Flavor.init)
        let rule = spec.autoscaler
        autoScaler = AutoScaler(
            enable: rule != nil, minNodeCount: rule?.minNodes, maxNodeCount: rule?.maxNodes,
            scaleDownEnable: rule?.scalesDown, scaleDownUtilThreshPercentage: rule?.threshold,
            scaleDownUnneededMinute: rule?.unneededMinutes, scaleDownDelayAfterAddMinute: rule?.delayAfterAddMinutes)
        nodeCount = status.nodes.isEmpty ? spec.nodeCount : status.nodes.count
        isActiveNodeGroupStatus = !status.nodes.isEmpty
        isClusterLatest = expiry == nil
        expiredDatetime = expiry.map(WireJSON.time)
        podCount = resources.reduce(0) { $0 + $1.podCount }
        runningPodCount = resources.reduce(0) { $0 + $1.runningPodCount }
        useLog = spec.usesLog
        hasApiKey = !spec.keys.isEmpty
        ratePerSecond = spec.ratePerSecond
        (canaryStageId, canaryPercent) = (spec.canary?.stageID, spec.canary?.percent)
        (shadowStageId, shadowPercent) = (spec.shadow?.stageID, spec.shadow?.percent)
        endpointModelList = resources
        tagList = metadata.tags.map(WireTag.init)
    }
}

/// A resource of a stage as the vendor's SDK reads it.
struct StageResourceWire: Encodable, Sendable {
    struct At: Encodable, Sendable {
        var stageId: String
        var deployStatus: String
        var stageUrl: String
    }

    struct Option: Encodable, Sendable {
        var cpu: String
        var memory: String
        var gpu: String
    }

    struct Pod: Encodable, Sendable {
        var podId: String
        var podStatusCode: String
        var nodeNumber: Int
        /// Of the Open Inference Protocol over gRPC, on the server's machine.
        var grpcAddress: String?
        var createdDatetime: String
    }

    var endpointModelId: String
    var endpointModelStatusCode: String
    var statusReason: String?
    var description: String
    var appKey: String
    var createdDatetime: String
    var endpointId: String
    var endpointStageId: String
    var modelId: String
    var model: JSONText?
    var stage: At?
    /// Below the stage's address. A POST there is told apart by its body.
    var apigwResourceUri: String
    var apigwEndpointUri: String?
    var podCount: Int
    var runningPodCount: Int
    var podList: [Pod]
    var resourceOptionDetail: Option
    var podAutoScaleEnable: Bool
    var scaleMetricCode: String?
    var scaleMetricTarget: Int?
    var maxPodCount: Int?
    var idleMinutes: Int?

    init(_ resource: StageResource, model: JSONText?, stage: At?) {
        let (metadata, spec, status) = (resource.metadata, resource.spec, resource.status)
        endpointModelId = resource.id
        endpointModelStatusCode = status.phase.rawValue
        statusReason = status.cause
        description = metadata.description
        appKey = metadata.project
        createdDatetime = WireJSON.time(metadata.createdAt)
        endpointId = spec.endpointID
        endpointStageId = spec.stageID
        modelId = spec.modelID
        self.model = model
        self.stage = stage
        apigwResourceUri = "/\(spec.path.pathEscaped)"
        apigwEndpointUri = stage.map { "https://\($0.stageUrl)/\(spec.path.pathEscaped)" }
        podCount = status.wanted ?? spec.pods
        runningPodCount = status.readyPods
        podList = status.pods.map {
            Pod(
                podId: $0.id, podStatusCode: $0.phase.rawValue.uppercased(), nodeNumber: $0.node,
                grpcAddress: $0.grpcPort.map { "127.0.0.1:\($0)" }, createdDatetime: WireJSON.time($0.createdAt))
        }
        resourceOptionDetail = Option(
            cpu: "\(spec.allotment.cpus)", memory: "\(spec.allotment.memoryMiB)Mi", gpu: "\(spec.allotment.gpus)")
        podAutoScaleEnable = spec.autoscaler != nil
        scaleMetricCode = spec.autoscaler?.metric.rawValue
        scaleMetricTarget = spec.autoscaler?.target
        maxPodCount = spec.autoscaler?.maxPods
        idleMinutes = spec.idleMinutes
    }
}

extension String {
    /// A path whose parts are percent-encoded and whose slashes stay.
    var pathEscapedParts: String {
        split(separator: "/", omittingEmptySubsequences: false).map { String($0).pathEscaped }.joined(separator: "/")
    }
}
