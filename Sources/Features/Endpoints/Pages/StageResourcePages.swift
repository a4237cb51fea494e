import Catalog
import Console
import FeatureKit
import Foundation
import Resource
import ServingKit
import Store
import Web

/// What a stage serves, in the console: rows of the stage and of the model, details with pods, form (E-3, E-7, E-10).
extension StageResourceType: PagedType {
    var icon: String { "model" }
    var section: String { "endpoints" }
    var parts: [ResourceKind] { [.stage] }
    /// Its name is a part of its address, and it has nothing else to change.
    var hasEdit: Bool { false }

    func columns(_ t: Strings) -> [Column] {
        [
            Column(t("model.one"), orders: (.name, .nameDescending)),
            Column(t("list.state"), orders: (.phase, .phaseDescending)),
            Column(t("serving.resourceURL")),
            Column(t("serving.podList"), isNumber: true),
            Column(t("serving.allotment")),
            Column(t("serving.podAutoscaler")),
            Column(t("detail.created"), orders: (.oldest, .newest)),
        ]
    }

    func cells(_ resource: StageResource, _ wire: StageResourceWire, _ page: Page) -> [Cell] {
        [
            .title(resource.metadata.name, href: address(resource.id, page)),
            .badge(Badge(resource.status.phase, cause: resource.status.cause)),
            .code(wire.apigwEndpointUri ?? ""),
            ServingText.pods(wire.runningPodCount, of: wire.podCount),
            .text(resource.spec.allotment.text),
            .text(autoscaler(resource.spec, page.t)),
            .time(resource.metadata.createdAt),
        ]
    }

    private func autoscaler(_ spec: StageResourceSpec, _ t: Strings) -> String {
        guard let rule = spec.autoscaler else { return "" }
        return t(
            "serving.podRule",
            [
                "metric": t("serving.autoscaler.\(rule.metric.rawValue)"), "target": "\(rule.target)",
                "min": "\(spec.pods)", "max": "\(rule.maxPods)",
            ])
    }

    func crumbs(_ resource: StageResource, _ page: Page) async throws -> [[String: String]]? {
        let stage = try await store.record(ResourceKey(.stage, resource.spec.stageID))
        guard let stage,
            let endpoint: Endpoint = try await store.resource(ResourceKey(.endpoint, resource.spec.endpointID))
        else { return nil }
        return StageType.crumbs(of: endpoint, page) + [
            [
                "name": stage.metadata.name,
                "href": "\(page.base)/endpoint-stages/\(stage.key.id)/resources",
            ]
        ]
    }

    func causeLink(_ resource: StageResource, _ page: Page) -> Action? { log(of: resource, page) }

    private func log(of resource: StageResource, _ page: Page) -> Action {
        Action(
            page.t("training.openLog"),
            href: "\(page.base)/endpoint-stages/\(resource.spec.stageID)/log?resource=\(resource.id)", icon: "log")
    }

    func actions(_ resource: StageResource, _ page: Page) async throws -> [Action] { [log(of: resource, page)] }

    func cards(_ resource: StageResource, _ wire: StageResourceWire, _ page: Page) async throws -> [FactCard] {
        let (t, spec, status) = (page.t, resource.spec, resource.status)
        let model = try await store.record(ResourceKey(.model, spec.modelID))
        return [
            FactCard(
                t("serving.resource"),
                [
                    (
                        t("model.one"),
                        model.map { .link($0.metadata.name, href: "\(page.base)/models/\(spec.modelID)") } ?? .text("")
                    ),
                    (t("serving.resourceURL"), .code(wire.apigwEndpointUri ?? "")),
                    (t("serving.allotment"), .text(spec.allotment.text)),
                    (t("serving.pods"), ServingText.pods(wire.runningPodCount, of: wire.podCount)),
                    (t("serving.podAutoscaler"), .text(autoscaler(spec, t))),
                    (t("serving.idle"), .text(spec.idleMinutes.map { t("serving.minutes", ["count": "\($0)"]) } ?? "")),
                ]),
            FactCard(
                t("serving.podList"),
                status.pods.isEmpty
                    ? [(t("serving.podList"), .text(""))]
                    : status.pods.map { pod in
                        (t("serving.pod", ["name": StagePod.name(pod.id)]), .badge(badge(pod, t)))
                    }),
        ]
    }

    private func badge(_ pod: StageResourceStatus.Pod, _ t: Strings) -> Badge {
        let tone: Tone =
            switch pod.phase {
            case .starting: .busy
            case .ready: .good
            case .unhealthy: .bad
            case .draining, .stopping: .off
            }
        return Badge(t("serving.podState", ["state": t("serving.pod.\(pod.phase)"), "node": "\(pod.node)"]), tone)
    }

    func snippets(_ page: Page) -> [Snippet] { [] }

    // MARK: - Form

    func form(_ page: Page, copied: StageResource?) async throws -> Form {
        let t = page.t
        var query = Query(.stage, project: page.project)
        query.limit = 200
        let stages: [Stage] = try await store.records(query).map { try $0.decoded() }
        let chosen = page.query["endpointStageId"]?.lowercased()
        let fields = try await StageForm(checks: checks, store: store).resource(page)
        let isScaled = "scaleMetricCode=CPU_UTILIZATION|MEMORY_UTILIZATION"
        func field(_ name: String) -> [Field] {
            fields.filter { $0.name == name }.map { field in
                var field = field
                if ["scaleMetricTarget", "maxPodCount"].contains(name) { field.showWhen = isScaled }
                return field
            }
        }
        var options = [Field.Option("", t("serving.chooseStage"))]
        for stage in stages {
            let endpoint = try await store.record(ResourceKey(.endpoint, stage.spec.endpointID))
            options.append(.init(stage.id, "\(endpoint?.metadata.name ?? ""): \(stage.metadata.name)"))
        }
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    [
                        [Field("endpointStageId", t("endpointStage.one"), .choice(options), value: chosen)]
                            + field("modelId"),
                        [Field("description", t("field.description"), .area, isOptional: true)],
                    ]),
                FieldGroup(
                    t("serving.allotment"), hint: t("serving.resourcesHint"),
                    [
                        field("resourceOptionDetail.cpu") + field("resourceOptionDetail.memory")
                            + field("resourceOptionDetail.gpu"),
                        field("podCount") + field("idleMinutes"),
                        field("scaleMetricCode") + field("scaleMetricTarget") + field("maxPodCount"),
                    ]),
            ], submit: t("endpointModel.new"),
            cancel: chosen.map { "\(page.base)/endpoint-stages/\($0)/resources" } ?? "\(page.base)/endpoints")
    }

    func formCrumbs(_ page: Page) async throws -> [[String: String]]? {
        let id = page.query["endpointStageId"] ?? page.browser.form["endpointStageId"] ?? ""
        let record = try await store.record(ResourceKey(.stage, id.lowercased()), project: page.project)
        guard let stage: Stage = try record?.decoded(),
            let endpoint: Endpoint = try await store.resource(ResourceKey(.endpoint, stage.spec.endpointID))
        else { return [["name": page.t("endpoint.title"), "href": "\(page.base)/endpoints"]] }
        return StageType.crumbs(of: endpoint, page) + [
            ["name": stage.metadata.name, "href": "\(page.base)/endpoint-stages/\(stage.id)/resources"]
        ]
    }

    func body(_ typed: FormFields, _ form: Form) throws -> Data { try StageForm.body(typed, form) }
    func explained(_ error: TakumiError, _ typed: FormFields, _ t: Strings) -> TakumiError {
        StageForm.explained(error)
    }
    func fields(of resource: StageResource, as name: String) -> FormFields { FormFields([]) }
}
