import Console
import FeatureKit
import Foundation
import Resource
import ServingKit
import Store
import Web

/// Models in the console: list, details, what can be made from one (M-6, M-7).
extension ModelType: PagedType {
    var icon: String { "model" }

    func columns(_ t: Strings) -> [Column] {
        [
            Column(t("field.name"), orders: (.name, .nameDescending)),
            Column(t("list.state"), orders: (.phase, .phaseDescending)),
            Column(t("model.framework")),
            Column(t("model.origin")),
            Column(t("detail.created"), orders: (.oldest, .newest)),
        ]
    }

    func cells(_ model: Model, _ wire: ModelWire, _ page: Page) -> [Cell] {
        [
            .title(model.metadata.name, href: address(model.id, page)),
            .badge(Badge(model.status.phase, cause: model.status.cause)),
            .text(framework(model)),
            origin(model, page),
            .time(model.metadata.createdAt),
        ]
    }

    private func framework(_ model: Model) -> String {
        [model.spec.format.displayName, model.spec.frameworkVersion].compactMap { $0 }.joined(separator: " ")
    }

    private func origin(_ model: Model, _ page: Page) -> Cell {
        guard let origin = model.spec.origin else { return .text("") }
        return page.address(of: origin.key).map { .link(origin.name, href: $0) } ?? .text(origin.name)
    }

    // MARK: - Details

    func cards(_ model: Model, _ wire: ModelWire, _ page: Page) async throws -> [FactCard] {
        let (t, spec) = (page.t, model.spec)
        var source: [(name: String, value: Cell)] = []
        if let origin = spec.origin {
            let name = origin.key.kind == ResourceKind("training") ? "model.training" : "model.tuning"
            source = [(t(name), self.origin(model, page)), (t("model.originId"), .code(origin.key.id))]
        }
        if let id = HuggingFace.id(in: spec.parameters), spec.artifact == nil {
            source.append((t("model.hub"), .code(id)))
        }
        source.append((t("model.artifact"), .code(spec.artifact ?? "")))
        return [
            FactCard(
                t("model.facts"),
                [
                    (t("model.framework"), .text(spec.format.displayName)),
                    (t("model.version"), .text(spec.frameworkVersion ?? "")),
                ] + source),
            FactCard(t("model.parameters"), parameters(model, t)),
        ]
    }

    private func parameters(_ model: Model, _ t: Strings) -> [(name: String, value: Cell)] {
        let parameters = model.spec.parameters
        guard !parameters.isEmpty else { return [(t("model.parameters"), .text(""))] }
        return parameters.map { ($0.name, .text($0.shown)) }
    }

    func actions(_ model: Model, _ page: Page) async throws -> [Action] {
        var actions: [Action] = []
        if let artifact = model.spec.artifact {
            actions.append(
                Action(
                    page.t("model.openFiles"), href: "\(page.base)/storage/at?uri=\(artifact.pathEscaped)",
                    icon: "folder"))
        }
        if page.mayWrite, model.status.phase == .active {
            actions.insert(
                Action(
                    page.t("endpoint.new"), href: "\(page.base)/endpoints/new?modelId=\(model.id)", look: .primary,
                    icon: "endpoint"), at: 0)
        }
        return actions
    }

    func snippets(_ page: Page) -> [Snippet] {
        [
            Snippet(
                page.t("snippet.cli"),
                """
                takumi model create iris --training TRAINING_ID
                takumi model create iris --framework SKLEARN --path obs://…/iris/model
                """),
            Snippet(
                page.t("snippet.sdk"),
                """
                import easymaker

                model = easymaker.Model().create(model_name="iris", training_id="…")
                model = easymaker.Model().create_hugging_face_model(
                    model_name="bert", parameter_list=[
                        easymaker.Parameter(parameter_name="model_id", parameter_value="google-bert/bert-base-uncased")])
                """),
        ]
    }
}
