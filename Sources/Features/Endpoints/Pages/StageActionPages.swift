import Console
import FeatureKit
import Foundation
import Hummingbird
import Resource
import Store
import Web

/// Pages that change a stage or its endpoint: the default, traffic, API keys, deploying again (E-5, E-9).
struct StageActionPages: Sendable {
    let endpoints: ResourcePages<EndpointType>
    let stages: ResourcePages<StageType>
    let actions: EndpointActions
    let store: Store
    let secrets: ShownOnce

    func add(to group: RouterGroup<TakumiContext>) {
        let one = group.group("endpoint-stages/{id}")
        stages.add(to: one, form: "make-default", { _, page in makeDefaultForm(page) }, send: makeDefault)
        stages.add(to: one, form: "traffic", trafficForm, filled: traffic, send: setTraffic)
        one.get("keys") { request, context in try await keys(try await stages.loadToChange(request, context)) }
            .post("keys") { request, context in
                let (stage, page) = try await stages.loadToChange(request, context)
                secrets.keep(try await actions.addKey(stage), for: place(stage, page))
                return page.redirect(to: "\(address(stage, page))/keys")
            }
        add(to: one, "do/deploy", question: deployQuestion) { stage, page in
            _ = try await actions.deploy(stage)
            return (address(stage, page), page.t("endpointStage.did.deploy"))
        }
        add(to: one, "do/remove-keys", question: removeKeysQuestion) { stage, page in
            try await actions.removeKeys(stage)
            return ("\(address(stage, page))/keys", page.t("endpointStage.did.remove-keys"))
        }
        group.group("endpoints/{id}/do/go-back")
            .get { request, context in
                let (endpoint, page) = try await endpoints.loadToChange(request, context)
                return try await ask(try await goBackQuestion(endpoint, page), page)
            }
            .post { request, context in
                let (endpoint, page) = try await endpoints.loadToChange(request, context)
                _ = try await actions.goBack(endpoint)
                return page.redirect(
                    to: endpoints.routes.type.address(endpoint.id, page), notice: page.t("endpoint.did.go-back"))
            }
    }

    private func address(_ stage: Stage, _ page: Page) -> String { stages.routes.type.address(stage.id, page) }
    private func place(_ stage: Stage, _ page: Page) -> String { "\(page.browser.session ?? "") \(stage.id)" }

    // MARK: - Questions

    private typealias Sent = (to: String, notice: String)

    private func add(
        to group: RouterGroup<TakumiContext>, _ name: String,
        question: @escaping @Sendable (Stage, Page) -> Confirmation,
        perform: @escaping @Sendable (Stage, Page) async throws -> Sent
    ) {
        group.group(RouterPath(name))
            .get { request, context in
                let (stage, page) = try await stages.loadToChange(request, context)
                return try await ask(question(stage, page), page)
            }
            .post { request, context in
                let (stage, page) = try await stages.loadToChange(request, context)
                let sent = try await perform(stage, page)
                return page.redirect(to: sent.to, notice: sent.notice)
            }
    }

    private func ask(_ question: Confirmation, _ page: Page) async throws -> Response {
        try await page.respond("confirm", question.model, title: question.title, section: "endpoints")
    }

    // MARK: - The default stage

    private func makeDefaultForm(_ page: Page) -> Form {
        let t = page.t
        return Form(
            [
                FieldGroup(
                    t("serving.makeDefault"), hint: t("serving.makeDefaultText"),
                    [
                        [
                            Field(
                                "keepMinutes", t("serving.keepMinutes"), .number(0...10_080),
                                hint: t("serving.keepMinutesHint"), value: "60")
                        ]
                    ])
            ], submit: t("serving.makeDefault"))
    }

    private func makeDefault(_ stage: Stage, _ form: Form, _ typed: FormFields, _ page: Page) async throws -> Sent {
        guard let endpoint = try await stages.routes.type.endpoint(of: stage) else { throw Store.missing(stage.key) }
        var body = try JSONDecoder().decode(EndpointActions.Switch.self, from: form.json(typed))
        body.endpointStageId = stage.id
        do {
            _ = try await actions.makeDefault(endpoint, body)
        } catch var error as TakumiError {
            // The page has no such field: the stage is the page's own.
            if error.field == "endpointStageId" { error.field = nil }
            throw error
        }
        return (
            endpoints.routes.type.address(endpoint.id, page),
            page.t("endpointStage.did.make-default", ["name": stage.metadata.name])
        )
    }

    private func goBackQuestion(_ endpoint: Endpoint, _ page: Page) async throws -> Confirmation {
        let former = endpoint.spec.formers.last.map { ResourceKey(.stage, $0.stageID) }
        var name: String?
        if let former { name = try await store.record(former)?.metadata.name }
        return Confirmation(
            title: page.t("serving.goBackTitle", ["name": name ?? endpoint.metadata.name]),
            text: page.t("serving.goBackText"), button: page.t("serving.goBack"), isDanger: false,
            refusal: name == nil ? page.t("serving.noFormer") : nil,
            back: endpoints.routes.type.address(endpoint.id, page))
    }

    private func deployQuestion(_ stage: Stage, _ page: Page) -> Confirmation {
        Confirmation(
            title: page.t("serving.deployTitle", ["name": stage.metadata.name]), text: page.t("serving.deployText"),
            button: page.t("serving.deploy"), isDanger: false, back: address(stage, page))
    }

    // MARK: - Traffic

    private func trafficForm(_ stage: Stage, _ page: Page) async throws -> Form {
        let t = page.t
        var query = Query(.stage, project: stage.metadata.project)
        query.referring = ResourceKey(.endpoint, stage.spec.endpointID)
        let others = try await store.records(query).filter { $0.key.id != stage.id }
        let options =
            [Field.Option("", t("serving.noStage"))] + others.map { Field.Option($0.key.id, $0.metadata.name) }
        return Form(
            [
                FieldGroup(
                    t("serving.canary"), hint: t("serving.canaryHint"),
                    [
                        [
                            Field("canaryStageId", t("endpointStage.one"), .choice(options)),
                            Field("canaryPercent", t("serving.percent"), .number(0...100), isOptional: true),
                        ]
                    ]),
                FieldGroup(
                    t("serving.shadow"), hint: t("serving.shadowHint"),
                    [
                        [
                            Field("shadowStageId", t("endpointStage.one"), .choice(options)),
                            Field("shadowPercent", t("serving.percent"), .number(0...100), isOptional: true),
                        ]
                    ]),
                FieldGroup(
                    t("serving.rate"),
                    [
                        [
                            Field(
                                "ratePerSecond", t("serving.rateField"), .number(1...1_000_000),
                                hint: t("serving.rateHint"), isOptional: true)
                        ]
                    ]),
            ], submit: t("form.save"))
    }

    private func traffic(_ stage: Stage) -> FormFields? {
        let spec = stage.spec
        let pairs: [(name: String, value: String?)] = [
            ("canaryStageId", spec.canary?.stageID), ("canaryPercent", spec.canary.map { "\($0.percent)" }),
            ("shadowStageId", spec.shadow?.stageID), ("shadowPercent", spec.shadow.map { "\($0.percent)" }),
            ("ratePerSecond", spec.ratePerSecond.map { "\($0)" }),
        ]
        return FormFields(pairs.compactMap { pair in pair.value.map { (pair.name, $0) } })
    }

    private func setTraffic(_ stage: Stage, _ form: Form, _ typed: FormFields, _ page: Page) async throws -> Sent {
        try await actions.setTraffic(
            stage, try JSONDecoder().decode(EndpointActions.TrafficRules.self, from: form.json(typed)))
        return (address(stage, page), page.t("notice.saved"))
    }

    // MARK: - API keys

    private func keys(_ loaded: (Stage, Page)) async throws -> Response {
        let (stage, page) = loaded
        let (t, count) = (page.t, stage.spec.keys.count)
        let title = t("endpointStage.keys", ["name": stage.metadata.name])
        var model: [String: Any] = [
            "heading": title, "crumb": true, "crumbs": try await stages.way(to: stage, page), "hasKeys": count > 0,
            "count": count > 0 ? t.count("serving.keyCount", count) : t("serving.noKeys"),
            "action": "\(address(stage, page))/keys", "remove": "\(address(stage, page))/do/remove-keys",
            "back": address(stage, page),
        ]
        if let secret = secrets.take(for: place(stage, page)) { model["secret"] = secret }
        return try await page.respond("stage-keys", model, title: title, section: "endpoints")
    }

    private func removeKeysQuestion(_ stage: Stage, _ page: Page) -> Confirmation {
        Confirmation(
            title: page.t("serving.removeKeysTitle", ["name": stage.metadata.name]),
            text: page.t("serving.removeKeysText"), button: page.t("serving.removeKeys"),
            refusal: stage.spec.keys.isEmpty ? page.t("serving.noKeys") : nil, back: "\(address(stage, page))/keys")
    }
}
