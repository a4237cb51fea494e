import Catalog
import FeatureKit
import Foundation
import JobKit
import Resource
import ServingKit

/// A text that may have been sent as a number: `1`, `"1.0"`, `"500m"`.
struct QuantityText: Codable, Sendable {
    var text: String

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
            text = "\(number)"
        } else {
            text = try container.decode(String.self).trimmingCharacters(in: .whitespaces)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// A model to be put on a stage, as the vendor's SDK sends it; `podCount`, `maxPodCount` and `idleMinutes` are ours.
struct StageResourceBody: Decodable, Sendable {
    struct Option: Decodable, Sendable {
        var cpu: QuantityText?
        var memory: QuantityText?
        var gpu: QuantityText?
    }

    var modelId: String?
    var resourceOptionDetail: Option?
    var podCount: WholeNumber?
    var podAutoScaleEnable: Bool?
    var scaleMetricCode: String?
    var scaleMetricTarget: WholeNumber?
    var maxPodCount: WholeNumber?
    var idleMinutes: WholeNumber?
    var description: String?

    static let mostPods = 100

    var pods: Int { podCount?.value ?? 1 }

    func validate(_ validator: inout Validator, _ prefix: String) {
        validator.require(modelId != nil, "\(prefix)modelId", "is required; GET /models lists them")
        validator.range(podCount?.value, "\(prefix)podCount", 1...StageResourceBody.mostPods)
        validator.length(description, "\(prefix)description", limit: Limits.description)
        validator.range(idleMinutes?.value, "\(prefix)idleMinutes", 1...10_080)
        if podAutoScaleEnable ?? false {
            let codes = PodAutoscaler.Metric.allCases.map(\.rawValue)
            validator.require(
                scaleMetricCode.map(codes.contains) ?? false, "\(prefix)scaleMetricCode",
                "'\((scaleMetricCode ?? "").excerpt)' is not known; use \(codes.joined(separator: " or "))")
            validator.require(
                scaleMetricTarget != nil, "\(prefix)scaleMetricTarget",
                "is required; percent of the allotment, such as 50")
            validator.range(scaleMetricTarget?.value, "\(prefix)scaleMetricTarget", 1...100)
            validator.range(maxPodCount?.value, "\(prefix)maxPodCount", pods...StageResourceBody.mostPods)
        }
    }

    var autoscaler: PodAutoscaler? {
        guard podAutoScaleEnable ?? false, let code = scaleMetricCode, let metric = PodAutoscaler.Metric(rawValue: code)
        else { return nil }
        return PodAutoscaler(
            metric: metric, target: scaleMetricTarget?.value ?? 50, maxPods: max(pods, maxPodCount?.value ?? 10))
    }

    /// - Parameters:
    ///   - room: what one instance offers.
    ///   - share: what a pod gets of which nothing is said.
    /// - Throws: `ValidationErrors`.
    func allotment(room: Allotment, share: Allotment, _ prefix: String) throws -> Allotment {
        var validator = Validator()
        let field = "\(prefix)resourceOptionDetail"
        let option = resourceOptionDetail
        var result = share
        result.gpus = 0
        if let text = option?.cpu?.text, !text.isEmpty {
            if let cpus = Allotment.cpus(text, of: room) {
                result.cpus = cpus
            } else {
                validator.refuse(
                    "\(field).cpu", "'\(text.excerpt)' is not a number of vCPUs of 1m or more; such as 1.0, 500m or 50%"
                )
            }
        }
        if let text = option?.memory?.text, !text.isEmpty {
            if let memory = Allotment.memoryMiB(text, of: room) {
                result.memoryMiB = memory
            } else {
                validator.refuse(
                    "\(field).memory",
                    "'\(text.excerpt)' is not an amount of memory from 1Mi to what an instance offers; such as 2048Mi, 2Gi or 50%"
                )
            }
        }
        if let text = option?.gpu?.text, !text.isEmpty {
            if let gpus = Allotment.gpus(text, of: room) {
                result.gpus = gpus
            } else {
                validator.refuse(
                    "\(field).gpu",
                    "'\(text.excerpt)' is not a whole number of GPUs, of which an instance has \(room.gpus); such as 1 or 50% of 2"
                )
            }
        } else if room.gpus > 0 {
            result.gpus = max(1, share.gpus)
        }
        if validator.problems.isEmpty, !result.fits(in: room) {
            validator.refuse(
                field, "one pod asks for \(result.text); an instance really offers \(room.text)")
        }
        try validator.check()
        return result
    }
}

/// What the requests for a new endpoint and for a further stage have in common.
struct StageBody: Decodable, Sendable {
    var flavorId: String?
    var nodeCount: WholeNumber?
    var endpointModelResourceList: [StageResourceBody]?
    var caEnable: Bool?
    var caMinNodeCount: WholeNumber?
    var caMaxNodeCount: WholeNumber?
    var caScaleDownEnable: Bool?
    var caScaleDownUtilThresh: WholeNumber?
    var caScaleDownUnneededTime: WholeNumber?
    var caScaleDownDelayAfterAdd: WholeNumber?
    var useLog: Bool?

    static let mostNodes = 10
    static let mostResources = 10

    var nodes: Int { nodeCount?.value ?? 1 }
    var resources: [StageResourceBody] { endpointModelResourceList ?? [] }

    func validate(_ validator: inout Validator) {
        validator.require(flavorId != nil, "flavorId", "is required; GET /flavors lists them")
        validator.range(nodeCount?.value, "nodeCount", 1...StageBody.mostNodes)
        validator.require(
            !resources.isEmpty, "endpointModelResourceList", "is required; at least one model to serve")
        validator.count(resources.count, "endpointModelResourceList", limit: StageBody.mostResources)
        for (index, resource) in resources.enumerated() {
            resource.validate(&validator, "endpointModelResourceList[\(index)].")
        }
        guard caEnable ?? false else { return }
        let (least, most) = (caMinNodeCount?.value ?? 1, caMaxNodeCount?.value ?? StageBody.mostNodes)
        validator.range(caMinNodeCount?.value, "caMinNodeCount", 1...StageBody.mostNodes)
        validator.range(caMaxNodeCount?.value, "caMaxNodeCount", 1...StageBody.mostNodes)
        validator.require(
            least <= most, "caMaxNodeCount", "\(most) is below caMinNodeCount, \(least)")
        validator.require(
            (least...max(least, most)).contains(nodes), "nodeCount",
            "\(nodes) is out of the autoscaler's range; use \(least) to \(most)")
        validator.range(caScaleDownUtilThresh?.value, "caScaleDownUtilThresh", 1...100)
        validator.range(caScaleDownUnneededTime?.value, "caScaleDownUnneededTime", 1...1440)
        validator.range(caScaleDownDelayAfterAdd?.value, "caScaleDownDelayAfterAdd", 1...1440)
    }

    var autoscaler: NodeAutoscaler? {
        guard caEnable ?? false else { return nil }
        return NodeAutoscaler(
            minNodes: caMinNodeCount?.value ?? 1, maxNodes: caMaxNodeCount?.value ?? StageBody.mostNodes,
            scalesDown: caScaleDownEnable ?? true, threshold: caScaleDownUtilThresh?.value ?? 50,
            unneededMinutes: caScaleDownUnneededTime?.value ?? 10,
            delayAfterAddMinutes: caScaleDownDelayAfterAdd?.value ?? 10)
    }
}
