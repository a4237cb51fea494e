import Console
import FeatureKit
import Foundation
import Resource
import Store
import Web

/// Experiments in the console.
extension ExperimentType: PagedType {
    var icon: String { "experiment" }

    func columns(_ t: Strings) -> [Column] {
        [
            Column(t("field.name"), orders: (.name, .nameDescending)),
            Column(t("list.state"), orders: (.phase, .phaseDescending)),
            Column(t("field.description")),
            Column(t("detail.created"), orders: (.oldest, .newest)),
        ]
    }

    func cells(_ experiment: Experiment, _ wire: Wire, _ page: Page) -> [Cell] {
        [
            .title(experiment.metadata.name, href: address(experiment.id, page)),
            .badge(Badge(experiment.status.phase, cause: experiment.status.cause)),
            .text(experiment.metadata.description),
            .time(experiment.metadata.createdAt),
        ]
    }

    func cards(_ experiment: Experiment, _ wire: Wire, _ page: Page) async throws -> [FactCard] {
        [
            FactCard(
                page.t("experiment.facts"),
                [
                    (
                        page.t("training.title"),
                        .link(
                            page.t.count("training.count", try await trainingCount(experiment)),
                            href: "\(address(experiment.id, page))/tab/trainings")
                    ),
                    (page.t("detail.changed"), .time(experiment.metadata.updatedAt)),
                ])
        ]
    }

    private func trainingCount(_ experiment: Experiment) async throws -> Int {
        var query = Query(ResourceKind("training"), project: experiment.metadata.project)
        query.referring = experiment.key
        return try await store.count(query)
    }

    func actions(_ experiment: Experiment, _ page: Page) -> [Action] {
        var actions: [Action] = []
        if experiment.status.phase == .active {
            actions.append(
                Action(
                    "TensorBoard", href: "\(address(experiment.id, page))/tensorboard", isExternal: true,
                    icon: "external"))
        }
        if experiment.status.phase == .createFailed, page.mayWrite {
            actions.append(
                Action(
                    page.t("action.retry"), href: "\(address(experiment.id, page))/do/retry", look: .primary,
                    isDialog: true, icon: "play"))
        }
        return actions
    }

    func confirmation(_ action: String, _ experiment: Experiment, _ page: Page) -> Confirmation? {
        guard action == "retry" else { return nil }
        return Confirmation(
            title: page.t("experiment.retry", ["name": experiment.metadata.name]), text: page.t("experiment.retryText"),
            button: page.t("action.retry"), isDanger: false, back: address(experiment.id, page))
    }

    func perform(_ action: String, _ experiment: Experiment, _ page: Page) async throws {
        _ = try await retry(experiment)
    }

    func form(_ page: Page, copied: Experiment?) async throws -> Form {
        let t = page.t
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    [
                        [Field("experimentName", t("field.name"), hint: t("experiment.nameHint"))],
                        [Field("description", t("field.description"), .area, isOptional: true)],
                        [.tags(t)],
                    ])
            ], submit: t("experiment.new"), cancel: "\(page.base)/\(names.collection)")
    }

    func fields(of experiment: Experiment, as name: String) -> FormFields {
        FormFields([("description", experiment.metadata.description)] + FormFields.tags(experiment.metadata.tags))
    }

    func snippets(_ page: Page) -> [Snippet] {
        [
            Snippet(page.t("snippet.cli"), "takumi experiment create iris"),
            Snippet(
                page.t("snippet.sdk"),
                "import easymaker\n\nexperiment = easymaker.Experiment().create(\"iris\")"),
        ]
    }
}
