import Catalog
import Console
import FeatureKit
import Foundation
import Resource
import ServingKit
import Store
import Web

/// Stages in the console: rows of their endpoint, details, form (E-6, E-7).
extension StageType: PagedType {
    var icon: String { "endpoint" }
    var section: String { "endpoints" }
    var parts: [ResourceKind] { [.stageResource, .endpoint] }

    func columns(_ t: Strings) -> [Column] {
        [
            Column(t("endpointStage.one"), orders: (.name, .nameDescending)),
            Column(t("list.state"), orders: (.phase, .phaseDescending)),
            Column(t("serving.isDefault")),
            Column(t("serving.url")),
            Column(t("training.instance")),
            Column(t("serving.nodes"), isNumber: true),
            Column(t("serving.podList"), isNumber: true),
            Column(t("detail.created"), orders: (.oldest, .newest)),
        ]
    }

    func cells(_ stage: Stage, _ wire: StageWire, _ page: Page) -> [Cell] {
        [
            .title(stage.metadata.name, href: address(stage.id, page)),
            .badges(
                [Badge(stage.status.phase, cause: stage.status.cause)]
                    + ServingText.outdated(wire.expiredDatetime, page.t)),
            wire.isDefaultStage ? .badge(Badge(page.t("serving.isDefault"), .good)) : .text(""),
            ServingText.url(wire.apigwStageUrl),
            .text(wire.flavor?.name ?? ""),
            .number("\(wire.nodeCount)"),
            ServingText.pods(wire.runningPodCount, of: wire.podCount),
            .time(stage.metadata.createdAt),
        ]
    }

    func crumbs(_ stage: Stage, _ page: Page) async throws -> [[String: String]]? {
        try await endpoint(of: stage).map { StageType.crumbs(of: $0, page) }
    }

    func causeLink(_ stage: Stage, _ page: Page) -> Action? {
        Action(page.t("training.openLog"), href: "\(address(stage.id, page))/log")
    }

    // MARK: - Details

    func cards(_ stage: Stage, _ wire: StageWire, _ page: Page) async throws -> [FactCard] {
        let (t, spec) = (page.t, stage.spec)
        return [
            FactCard(
                t("serving.address"),
                [
                    (t("serving.url"), ServingText.url(wire.apigwStageUrl)),
                    (t("serving.gateway"), .badge(ServingText.badge(GatewayPhase(stage.status.phase)))),
                    (t("serving.default"), .text(t(wire.isDefaultStage ? "value.yes" : "value.no"))),
                    (
                        t("endpoint.one"),
                        .link(wire.endpointName, href: "\(page.base)/endpoints/\(wire.endpointId)")
                    ),
                ]),
            FactCard(
                t("serving.instances"),
                [
                    (
                        t("training.instance"),
                        .text(
                            checks.catalog.flavor(id: spec.flavorID).map { ServingText.flavor($0, t) } ?? spec.flavorID)
                    ),
                    (t("serving.runningNodes"), .number("\(stage.status.nodes.count)")),
                    (t("serving.pods"), ServingText.pods(wire.runningPodCount, of: wire.podCount)),
                    (t("serving.nodeAutoscaler"), .lines(autoscaler(spec, t))),
                    (t("training.log"), .text(t(spec.usesLog ? "value.yes" : "value.no"))),
                ]),
            FactCard(
                t("serving.traffic"),
                [
                    (t("serving.canary"), try await share(spec.canary, page)),
                    (t("serving.shadow"), try await share(spec.shadow, page)),
                    (
                        t("serving.rate"),
                        .text(spec.ratePerSecond.map { t("serving.perSecond", ["count": t.number($0)]) } ?? "")
                    ),
                    (t("serving.keys"), .text(spec.keys.isEmpty ? "" : t.number(spec.keys.count))),
                ]),
        ]
    }

    private func autoscaler(_ spec: StageSpec, _ t: Strings) -> [String] {
        guard let rule = spec.autoscaler else { return [t("value.no")] }
        let range = t("serving.nodeRange", ["min": "\(rule.minNodes)", "max": "\(rule.maxNodes)"])
        guard rule.scalesDown else { return [range, t("serving.noScaleDown")] }
        return [
            range,
            t(
                "serving.scaleDownRule",
                [
                    "threshold": "\(rule.threshold)", "unneeded": "\(rule.unneededMinutes)",
                    "delay": "\(rule.delayAfterAddMinutes)",
                ]),
        ]
    }

    private func share(_ share: StageSpec.Share?, _ page: Page) async throws -> Cell {
        guard let share, let record = try await store.record(ResourceKey(.stage, share.stageID)) else {
            return .text("")
        }
        return .link("\(record.metadata.name): \(share.percent) %", href: address(share.stageID, page))
    }

    func tabs(_ t: Strings) -> [Tab] {
        [
            Tab("resources", t("serving.tab.resources")), Tab("monitoring", t("training.tab.monitoring")),
            Tab("statistics", t("serving.tab.statistics")), Tab("log", t("training.tab.log")),
            Tab("requests", t("serving.tab.requests")),
        ]
    }

    func actions(_ stage: Stage, _ page: Page) async throws -> [Action] {
        guard page.mayWrite, stage.status.phase != .deleteInProgress, let endpoint = try await endpoint(of: stage)
        else { return [] }
        let (t, address) = (page.t, address(stage.id, page))
        var actions: [Action] = []
        if endpoint.spec.defaultStageID != stage.id {
            if stage.status.phase == .active {
                actions.append(
                    Action(t("serving.makeDefault"), href: "\(address)/make-default", look: .primary, icon: "check"))
            }
        } else if !endpoint.spec.formers.isEmpty {
            actions.append(
                Action(
                    t("serving.goBack"), href: "\(page.base)/endpoints/\(endpoint.id)/do/go-back", isDialog: true,
                    icon: "undo"))
        }
        actions += [
            Action(t("serving.traffic"), href: "\(address)/traffic", icon: "compare"),
            Action(t("serving.keys"), href: "\(address)/keys", icon: "key"),
        ]
        if stage.status.phase.isDeployable {
            actions.append(
                Action(t("serving.deploy"), href: "\(address)/do/deploy", isDialog: true, icon: "upload"))
        }
        return actions
    }

    func examples(_ stage: Stage, _ wire: StageWire, _ page: Page) -> [Snippet] {
        guard stage.status.phase == .active else { return [] }
        let resource = wire.endpointModelList.first
        return ServingText.examples(
            resource, needsKey: wire.hasApiKey, home: home,
            sdk: """
                import easymaker

                stages = easymaker.Endpoint(endpoint_id="\(wire.endpointId)").get_stage_list()
                stage = next(stage for stage in stages if stage.endpoint_stage_id == "\(stage.id)")
                stage.predict(
                    model_id="\(resource?.modelId ?? "")",
                    json={"instances": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]})
                """, page.t)
    }

    func snippets(_ page: Page) -> [Snippet] { [] }

    // MARK: - Form

    func form(_ page: Page, copied: Stage?) async throws -> Form {
        let t = page.t
        var query = Query(.endpoint, project: page.project)
        query.limit = 200
        let endpoints = try await store.records(query)
        let chosen = page.query["endpointId"]?.lowercased()
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    [
                        [
                            Field(
                                "endpointId", t("endpoint.one"),
                                .choice(
                                    [Field.Option("", t("serving.chooseEndpoint"))]
                                        + endpoints.map { Field.Option($0.key.id, $0.metadata.name) }),
                                value: chosen),
                            Field("apigwStageName", t("serving.stageName"), hint: t("endpointStage.nameHint")),
                        ],
                        [Field("description", t("field.description"), .area, isOptional: true)],
                    ])
            ] + (try await StageForm(checks: checks, store: store).groups(page)), submit: t("endpointStage.new"),
            cancel: chosen.map { "\(page.base)/endpoints/\($0)/stages" } ?? "\(page.base)/endpoints")
    }

    func formCrumbs(_ page: Page) async throws -> [[String: String]]? {
        let id = page.query["endpointId"] ?? page.browser.form["endpointId"] ?? ""
        let record = try await store.record(ResourceKey(.endpoint, id.lowercased()), project: page.project)
        guard let record else { return [["name": page.t("endpoint.title"), "href": "\(page.base)/endpoints"]] }
        return StageType.crumbs(of: try record.decoded(), page)
    }

    /// Instances as the default stage has them: a new version of a model mostly needs the same.
    func prefilled(_ page: Page) async throws -> FormFields? {
        var pairs = StageForm.prefilled(page)?.pairs ?? []
        guard let id = page.query["endpointId"]?.lowercased(),
            let record = try await store.record(ResourceKey(.endpoint, id), project: page.project)
        else { return pairs.isEmpty ? nil : FormFields(pairs) }
        let endpoint: Endpoint = try record.decoded()
        let main: Stage? = try await store.resource(ResourceKey(.stage, endpoint.spec.defaultStageID))
        if let spec = main?.spec {
            pairs += [("flavorId", spec.flavorID), ("nodeCount", "\(spec.nodeCount)")]
            if spec.usesLog { pairs.append(("useLog", "true")) }
            if let rule = spec.autoscaler {
                pairs += [
                    ("caEnable", "true"), ("caMinNodeCount", "\(rule.minNodes)"),
                    ("caMaxNodeCount", "\(rule.maxNodes)"), ("caScaleDownEnable", rule.scalesDown ? "true" : "false"),
                    ("caScaleDownUtilThresh", "\(rule.threshold)"),
                    ("caScaleDownUnneededTime", "\(rule.unneededMinutes)"),
                    ("caScaleDownDelayAfterAdd", "\(rule.delayAfterAddMinutes)"),
                ]
            }
        }
        return FormFields(pairs)
    }

    func body(_ typed: FormFields, _ form: Form) throws -> Data { try StageForm.body(typed, form) }
    func explained(_ error: TakumiError, _ typed: FormFields, _ t: Strings) -> TakumiError {
        StageForm.explained(error)
    }
    func fields(of stage: Stage, as name: String) -> FormFields { FormFields([]) }
}
