import Catalog
import Console
import FeatureKit
import Foundation
import Resource
import ServingKit
import Store
import Web

/// Endpoints in the console: list, details, form (E-1, E-4, E-5).
extension EndpointType: PagedType {
    var icon: String { "endpoint" }
    var parts: [ResourceKind] { [.stage, .stageResource] }

    func columns(_ t: Strings) -> [Column] {
        [
            Column(t("field.name"), orders: (.name, .nameDescending)),
            Column(t("list.state"), orders: (.phase, .phaseDescending)),
            Column(t("serving.gateway")),
            Column(t("serving.defaultURL")),
            Column(t("serving.podList"), isNumber: true),
            Column(t("detail.created"), orders: (.oldest, .newest)),
        ]
    }

    func cells(_ endpoint: Endpoint, _ wire: EndpointWire, _ page: Page) -> [Cell] {
        [
            .title(endpoint.metadata.name, href: address(endpoint.id, page)),
            .badges(
                [Badge(endpoint.status.phase, cause: endpoint.status.cause)]
                    + ServingText.outdated(wire.expiredDatetime, page.t)),
            .badge(ServingText.badge(endpoint.status.gateway)),
            wire.apigwStageUrl.map(ServingText.url) ?? .text(""),
            pods(wire),
            .time(endpoint.metadata.createdAt),
        ]
    }

    private func pods(_ wire: EndpointWire) -> Cell {
        let stages = wire.endpointStageList
        return ServingText.pods(
            stages.reduce(0) { $0 + $1.runningPodCount }, of: stages.reduce(0) { $0 + $1.podCount })
    }

    func causeLink(_ endpoint: Endpoint, _ page: Page) -> Action? {
        Action(page.t("endpointStage.title"), href: "\(address(endpoint.id, page))/stages")
    }

    // MARK: - Details

    func cards(_ endpoint: Endpoint, _ wire: EndpointWire, _ page: Page) async throws -> [FactCard] {
        let t = page.t
        var facts: [(name: String, value: Cell)] = [
            (t("serving.defaultURL"), wire.apigwStageUrl.map(ServingText.url) ?? .text("")),
            (t("serving.gateway"), .badge(ServingText.badge(endpoint.status.gateway))),
            (t("serving.defaultStage"), link(wire.defaultStageId, wire, page)),
            (t("endpointStage.title"), .number("\(wire.endpointStageList.count)")),
            (t("serving.pods"), pods(wire)),
        ]
        for resource in main(wire)?.endpointModelList ?? [] {
            guard let url = resource.apigwEndpointUri else { continue }
            facts.append((t("serving.resourceURL"), .code(url)))
        }
        let cards = [FactCard(t("serving.address"), facts)]
        let formers = endpoint.spec.formers.reversed().map { former in
            FactCard(
                t("serving.former"),
                [
                    (t("endpointStage.one"), link(former.stageID, wire, page)),
                    (t("serving.keptUntil"), .time(former.keptUntil)),
                ])
        }
        return cards + formers
    }

    private func main(_ wire: EndpointWire) -> StageWire? { wire.endpointStageList.first { $0.isDefaultStage } }

    private func link(_ id: String, _ wire: EndpointWire, _ page: Page) -> Cell {
        guard let stage = wire.endpointStageList.first(where: { $0.endpointStageId == id }) else { return .text("") }
        return .link(stage.endpointStageName, href: "\(page.base)/endpoint-stages/\(id)")
    }

    func tabs(_ t: Strings) -> [Tab] { [Tab("stages", t("endpointStage.title"))] }

    func actions(_ endpoint: Endpoint, _ page: Page) async throws -> [Action] {
        guard page.mayWrite, endpoint.status.phase != .deleteInProgress else { return [] }
        var actions = [
            Action(
                page.t("endpointStage.new"), href: "\(page.base)/endpoint-stages/new?endpointId=\(endpoint.id)",
                icon: "plus")
        ]
        if !endpoint.spec.formers.isEmpty {
            actions.append(
                Action(
                    page.t("serving.goBack"), href: "\(address(endpoint.id, page))/do/go-back", isDialog: true,
                    icon: "undo"))
        }
        return actions
    }

    func examples(_ endpoint: Endpoint, _ wire: EndpointWire, _ page: Page) -> [Snippet] {
        guard endpoint.status.gateway == .active else { return [] }
        let stage = main(wire)
        let resource = stage?.endpointModelList.first
        return ServingText.examples(
            resource, needsKey: stage?.hasApiKey ?? false, home: stages.home,
            sdk: """
                import easymaker

                endpoint = easymaker.Endpoint(endpoint_id="\(endpoint.id)")
                endpoint.predict(
                    model_id="\(resource?.modelId ?? "")",
                    json={"instances": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]})
                """, page.t)
    }

    // MARK: - Form

    func form(_ page: Page, copied: Endpoint?) async throws -> Form {
        let t = page.t
        let parts = StageForm(checks: checks, store: store)
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    [
                        [
                            Field(names.nameField, t("field.name"), hint: t("endpoint.nameHint")),
                            Field(
                                "stageName", t("serving.stageName"), hint: t("endpoint.stageNameHint"),
                                isOptional: true, placeholder: "default"),
                        ],
                        [Field("description", t("field.description"), .area, isOptional: true)],
                    ])
            ] + (try await parts.groups(page)), submit: t("endpoint.new"),
            cancel: "\(page.base)/\(names.collection)")
    }

    func prefilled(_ page: Page) async throws -> FormFields? { StageForm.prefilled(page) }
    func body(_ typed: FormFields, _ form: Form) throws -> Data { try StageForm.body(typed, form) }
    func explained(_ error: TakumiError, _ typed: FormFields, _ t: Strings) -> TakumiError {
        StageForm.explained(error)
    }
    func fields(of endpoint: Endpoint, as name: String) -> FormFields { FormFields([]) }

    func snippets(_ page: Page) -> [Snippet] {
        [
            Snippet(
                page.t("snippet.cli"),
                """
                takumi endpoint create iris --model iris --instance m2.c2m4
                takumi endpoint predict iris '{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
                """),
            Snippet(
                page.t("snippet.sdk"),
                """
                import easymaker

                endpoint = easymaker.Endpoint().create(
                    endpoint_name="iris", instance_type_name="m2.c2m4",
                    endpoint_model_resource_list=[easymaker.EndpointModelResource(model_id="…")])
                """),
        ]
    }
}
