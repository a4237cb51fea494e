import Console
import Engine
import FeatureKit
import Foundation
import HTTPTypes
import Hummingbird
import JobKit
import Resource
import Storage
import Store
import Telemetry
import Web

extension EndpointsFeature {
    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) {
        endpoints.add(to: group)
        stages.add(to: group)
        resources.add(to: group)
        group.group("endpoints/{id}")
            .put("default-stage") { request, context in
                let endpoint = try await endpoints.resource(context)
                let body = try await request.json(EndpointActions.Switch.self, context: context)
                return try await endpoints.respond(try await actions.makeDefault(endpoint, body))
            }
            .put("go-back") { _, context in
                try await endpoints.respond(try await actions.goBack(try await endpoints.resource(context)))
            }
        group.group("endpoint-stages/{id}")
            .put("deploy") { _, context in
                try await stages.respond(try await actions.deploy(try await stages.resource(context)))
            }
            .put("traffic") { request, context in
                let stage = try await stages.resource(context)
                try await actions.setTraffic(
                    stage, try await request.json(EndpointActions.TrafficRules.self, context: context))
                return try await stages.respond(try await stages.resource(context))
            }
            .post("api-keys") { _, context in
                try Envelope.one("apiKey", try await actions.addKey(try await stages.resource(context)))
            }
            .delete("api-keys") { _, context in
                try await actions.removeKeys(try await stages.resource(context))
                return Envelope.empty()
            }
            .get("statistics") { request, context in
                let stage = try await stages.resource(context)
                let minutes = try QueryItems(request).number("minutes") ?? 60
                guard (1...10_080).contains(minutes) else {
                    throw TakumiError.invalid("minutes", "\(minutes) is out of range; use 1 to 10080")
                }
                return try Envelope.one(
                    "statistics",
                    StatisticsWire(traffic.statistics(of: stage.id), minutes: minutes, now: sources.now()))
            }
            .get("inference-logs") { request, context in
                let log = try await stages.resource(context).inferenceLog(home: surroundings.home)
                let items = QueryItems(request)
                let (count, wanted) = (min(try items.number("tail") ?? 1000, 10_000), items["query"] ?? "")
                return text(
                    try await BlockingWork.run { log.last(count, containing: wanted) }, type: "application/x-ndjson")
            }
        group.get("endpoint-models/{id}/logs") { request, context in
            let resource = try await resources.resource(context)
            return text(try log(of: resource, QueryItems(request)), type: "text/plain; charset=utf-8")
        }
    }

    private func text(_ text: String, type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type], body: .init(byteBuffer: .init(string: text)))
    }

    /// What a pod has printed: the one that is named, else the first; of a resource that could not be created, what its
    /// last pod printed.
    func log(of resource: StageResource, _ items: QueryItems) throws -> String {
        var path = FailedLog.path(resource.id, home: surroundings.home)
        if let id = items["pod"] {
            guard resource.status.pods.contains(where: { $0.id == id }) else {
                throw TakumiError.invalid("pod", "'\(id.excerpt)' is not a pod of this resource")
            }
            path = WorkloadFolder(home: surroundings.home, id: id).task(0).log
        } else if let pod = resource.status.pods.first {
            path = WorkloadFolder(home: surroundings.home, id: pod.id).task(0).log
        }
        let log = LogReader(path: path)
        let start = log.offset(ofLast: min(try items.number("tail") ?? 1000, 10_000))
        var lines: [String] = []
        var offset = start
        while true {
            let chunk = log.read(from: offset)
            guard chunk.next > offset else { break }
            lines += chunk.lines.map { "\($0.line.time) \($0.line.text)\n" }
            offset = chunk.next
        }
        return lines.joined()
    }

    package var api: APIDescription {
        let stageFields: [APIDescription.Field] = [
            .init("flavorId", required: true), .init("nodeCount", "integer"),
            .init(
                "endpointModelResourceList", "object[]", required: true,
                note:
                    "modelId, resourceOptionDetail {cpu, memory, gpu}, podCount, podAutoScaleEnable, scaleMetricCode, "
                    + "scaleMetricTarget, maxPodCount, idleMinutes, description"),
            .init("caEnable", "boolean"), .init("caMinNodeCount", "integer"), .init("caMaxNodeCount", "integer"),
            .init("caScaleDownEnable", "boolean"), .init("caScaleDownUtilThresh", "integer"),
            .init("caScaleDownUnneededTime", "integer"), .init("caScaleDownDelayAfterAdd", "integer"),
            .init("useLog", "boolean"), .init("description"), .init("tagList", "object[]"),
        ]
        return APIDescription.resource(
            endpoints.type.names,
            create: [.init("endpointName", required: true), .init("stageName")] + stageFields)
            + .resource(
                stages.type.names,
                create: [.init("endpointId", required: true), .init("apigwStageName", required: true)] + stageFields,
                filters: [.init("endpointId")])
            + .resource(
                resources.type.names,
                create: [
                    .init("endpointStageId", required: true), .init("modelId", required: true),
                    .init("resourceOptionDetail", "object"), .init("podCount", "integer"),
                    .init("podAutoScaleEnable", "boolean"), .init("scaleMetricCode"),
                    .init("scaleMetricTarget", "integer"), .init("maxPodCount", "integer"),
                    .init("idleMinutes", "integer"), .init("description"),
                ], filters: [.init("endpointStageId"), .init("endpointId"), .init("modelId")])
            + APIDescription([
                .init(
                    "PUT", "/endpoints/{id}/default-stage",
                    "Make another stage the default, with the former one's API keys and rate limit where it has none",
                    body: [.init("endpointStageId", required: true), .init("keepMinutes", "integer")],
                    payload: "endpoint"),
                .init(
                    "PUT", "/endpoints/{id}/go-back", "Make the former default stage the default again",
                    payload: "endpoint"),
                .init("PUT", "/endpoint-stages/{id}/deploy", "Deploy to the gateway again", payload: "endpointStage"),
                .init(
                    "PUT", "/endpoint-stages/{id}/traffic", "Set canary, shadow and rate limit",
                    body: [
                        .init("canaryStageId"), .init("canaryPercent", "integer"), .init("shadowStageId"),
                        .init("shadowPercent", "integer"), .init("ratePerSecond", "integer"),
                    ], payload: "endpointStage"),
                .init("POST", "/endpoint-stages/{id}/api-keys", "Make an API key, shown once", payload: "apiKey"),
                .init("DELETE", "/endpoint-stages/{id}/api-keys", "Remove all API keys"),
                .init(
                    "GET", "/endpoint-stages/{id}/statistics", "Calls, errors and latencies",
                    query: [.init("minutes", "integer")], payload: "statistics"),
                .init(
                    "GET", "/endpoint-stages/{id}/inference-logs",
                    "The last inference logs that contain the query, as NDJSON",
                    query: [.init("tail", "integer"), .init("query")]),
                .init(
                    "GET", "/endpoint-models/{id}/logs", "What a pod has printed",
                    query: [.init("pod"), .init("tail", "integer")]),
            ])
    }

    package var menu: [MenuEntry] { [MenuEntry("endpoints", icon: "endpoint", path: "endpoints", rank: 8)] }
    package var collections: [ResourceKind: String] {
        [
            .endpoint: endpoints.type.names.collection, .stage: stages.type.names.collection,
            .stageResource: resources.type.names.collection,
        ]
    }
}
