import Catalog
import Console
import Engine
import FeatureKit
import Foundation
import JobKit
import Resource
import ServingKit
import Store
import Web

/// The parts that the forms of endpoints, stages and resources share (E-2, E-3). Names of fields are those of the API.
struct StageForm: Sendable {
    let checks: StageChecks
    let store: Store

    private static let list = "endpointModelResourceList"
    /// Percent of an allotment that an autoscaler aims at, unless told.
    private static let usualTarget = 50

    func groups(_ page: Page) async throws -> [FieldGroup] {
        let t = page.t
        return [
            FieldGroup(
                t("model.title"),
                [
                    [
                        Field(
                            StageForm.list, t("serving.resources"),
                            .rows(try await resource(page), add: t("serving.addModel")),
                            hint: t("serving.resourcesHint"), data: ["lean": ""])
                    ]
                ]),
            FieldGroup(
                t("serving.instances"),
                [
                    [await flavors(t)],
                    [
                        Field(
                            "nodeCount", t("serving.nodes"), .number(1...StageBody.mostNodes),
                            hint: t("serving.nodesHint"), value: "1")
                    ],
                ]),
            FieldGroup(
                t("serving.nodeAutoscaler"), hint: t("serving.nodeAutoscalerHint"), isFolded: true,
                StageForm.nodeAutoscaler(t)),
            FieldGroup(
                t("training.extra"), isFolded: true,
                [
                    [Field("useLog", t("training.useLog"), .check, hint: t("serving.useLogHint"))],
                    [.tags(t)],
                ]),
        ]
    }

    /// Of a resource; what is optional is left to the server, which shares the instances out.
    func resource(_ page: Page) async throws -> [Field] {
        let t = page.t
        var fields = [
            Field("modelId", t("model.one"), .choice(try await models(page)), value: page.query["modelId"]),
            Field(
                "scaleMetricCode", t("serving.podAutoscaler"),
                .choice(
                    [Field.Option("", t("serving.autoscaler.none"))]
                        + PodAutoscaler.Metric.allCases.map {
                            Field.Option($0.rawValue, t("serving.autoscaler.\($0.rawValue)"))
                        })),
            Field("resourceOptionDetail.cpu", t("serving.cpu"), isOptional: true, placeholder: "500m, 50%"),
            Field("resourceOptionDetail.memory", t("serving.memory"), isOptional: true, placeholder: "2Gi, 50%"),
            Field("podCount", t("serving.podCount"), .number(1...StageResourceBody.mostPods), placeholder: "1"),
            Field("idleMinutes", t("serving.idle"), .number(1...10_080), isOptional: true, placeholder: "–"),
            Field("scaleMetricTarget", t("serving.target"), .number(1...100), placeholder: "\(StageForm.usualTarget)"),
            Field(
                "maxPodCount", t("serving.maxPods"), .number(1...StageResourceBody.mostPods), isOptional: true,
                placeholder: "10"),
        ]
        if await checks.engine.capacity().gpus > 0 {
            fields.insert(
                Field("resourceOptionDetail.gpu", t("serving.gpu"), isOptional: true, placeholder: "1"), at: 6)
        }
        return fields
    }

    /// The newest active ones, and the one that the address asks for, however old.
    private func models(_ page: Page) async throws -> [Field.Option] {
        var query = Query(.model, project: page.project)
        query.phases = ["ACTIVE"]
        query.limit = 200
        var records = try await store.records(query)
        if let id = page.query["modelId"]?.lowercased(), !records.contains(where: { $0.key.id == id }),
            let record = try await store.record(ResourceKey(.model, id), project: page.project)
        {
            records.append(record)
        }
        return [Field.Option("", page.t(records.isEmpty ? "serving.noModels" : "serving.chooseModel"))]
            + records.map { Field.Option($0.key.id, $0.metadata.name) }
    }

    private func flavors(_ t: Strings) async -> Field {
        let capacity = await checks.engine.capacity()
        let options = checks.catalog.flavors.map { flavor in
            let fits =
                flavor.vcpus <= capacity.cpus && flavor.memoryMiB <= capacity.memoryMiB && flavor.gpus <= capacity.gpus
            let text = ServingText.flavor(flavor, t)
            return Field.Option(
                flavor.id, fits ? text : t("training.tooLarge", ["name": text]), isDisabled: !fits)
        }
        let usual =
            checks.catalog.flavors.first { $0.name == "m2.c2m4" && $0.memoryMiB <= capacity.memoryMiB }
            ?? checks.catalog.flavors.first { $0.gpus == 0 }
        return Field(
            "flavorId", t("training.instance"), .choice(options), hint: t("serving.offersHint"), value: usual?.id)
    }

    private static func nodeAutoscaler(_ t: Strings) -> [[Field]] {
        let isOn = "caEnable=true"
        func number(_ name: String, _ key: String, _ range: ClosedRange<Int>, _ value: Int) -> Field {
            Field(name, t("serving.\(key)"), .number(range), value: "\(value)", showWhen: isOn)
        }
        return [
            [Field("caEnable", t("serving.autoscaler.use"), .check)],
            [
                number("caMinNodeCount", "minNodes", 1...StageBody.mostNodes, 1),
                number("caMaxNodeCount", "maxNodes", 1...StageBody.mostNodes, StageBody.mostNodes),
            ],
            [
                Field(
                    "caScaleDownEnable", t("serving.scaleDown"), .check, hint: t("serving.scaleDownHint"),
                    value: "true", showWhen: isOn)
            ],
            [
                number("caScaleDownUtilThresh", "threshold", 1...100, 50),
                number("caScaleDownUnneededTime", "unneeded", 1...1440, 10),
                number("caScaleDownDelayAfterAdd", "delayAfterAdd", 1...1440, 10),
            ],
        ]
    }

    // MARK: - What the form leaves unsaid

    /// With the model of `?modelId=`.
    static func prefilled(_ page: Page) -> FormFields? {
        page.query["modelId"].map { FormFields([("\(list)[0].modelId", $0.lowercased())]) }
    }

    /// Over the API a switch goes with the metric. In the form the metric alone says both.
    static func body(_ typed: FormFields, _ form: Form) throws -> Data {
        let data = form.json(typed)
        guard var fields = try JSONSerialization.jsonObject(with: data) as? [String: Any] else { return data }
        func switched(_ resource: [String: Any]) -> [String: Any] {
            guard resource["scaleMetricCode"] != nil else { return resource }
            return ["scaleMetricTarget": usualTarget, "podAutoScaleEnable": true].merging(resource) { $1 }
        }
        if let resources = fields[list] as? [[String: Any]] {
            fields[list] = resources.map(switched)
        } else {
            fields = switched(fields)
        }
        return try JSONSerialization.data(withJSONObject: fields)
    }

    /// What is wrong with the whole of an allotment is shown at its first field.
    static func explained(_ error: TakumiError) -> TakumiError {
        var error = error
        if let field = error.field, field.hasSuffix("resourceOptionDetail") { error.field = "\(field).cpu" }
        return error
    }
}
