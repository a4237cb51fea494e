import Console
import FeatureKit
import Hummingbird
import JobKit
import Resource
import Store
import Web

/// Training templates: saved settings that fill the forms of trainings and tunings.
package struct TemplateFeature: Feature {
    private let store: Store
    private let routes: ResourceRoutes<TemplateType>

    package init(store: Store, checks: JobChecks, sources: ClockAndIDs) {
        self.store = store
        routes = ResourceRoutes(TemplateType(store: store, checks: checks), store: store, sources: sources)
    }

    /// For the forms that are filled from templates.
    package static func templates(in store: Store) -> JobTemplates {
        JobTemplates(
            list: { project in
                var query = Query(.template, project: project)
                query.order = .name
                query.limit = 200
                return try await store.records(query).map { .init(id: $0.key.id, name: $0.metadata.name) }
            },
            settings: { id, project in
                guard let record = try await store.record(ResourceKey(.template, id.lowercased()), project: project)
                else { return nil }
                let template: Template = try record.decoded()
                return (template.metadata.name, template.spec.settings)
            })
    }

    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) { routes.add(to: group) }

    package var menu: [MenuEntry] {
        [MenuEntry("training-templates", icon: "template", path: "training-templates", rank: 6)]
    }

    package var collections: [ResourceKind: String] { [.template: routes.type.names.collection] }

    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        let resourcePages = ResourcePages(routes, pages, store: store)
        group.get("training-templates/{id}/hyperparameters") { request, context in
            let (template, page) = try await resourcePages.load(request, context)
            return try await resourcePages.respond(
                "template-hyperparameters", template, page, tab: "hyperparameters", model(template, page))
        }
        resourcePages.add(to: group)
    }

    private func model(_ template: Template, _ page: Page) -> [String: Any] {
        let settings = template.spec.settings
        var validator = Validator()
        let searched = settings.search.checked(&validator, instances: nil, isComplete: false).parameters
        return [
            "parameters": settings.hyperparameters.map { parameter -> [String: Any] in
                ["name": parameter.parameterName ?? "", "value": parameter.parameterValue ?? ""]
            }, "hasParameters": !settings.hyperparameters.isEmpty,
            "searched": searched.map { item -> [String: Any] in
                let (type, values) = SearchText.space(item, page.t)
                return ["name": item.name, "type": type, "values": values]
            }, "isSearched": !searched.isEmpty,
        ]
    }

    package var api: APIDescription {
        func optional(_ fields: [APIDescription.Field]) -> [APIDescription.Field] {
            fields.map { field in
                var field = field
                field.isRequired = false
                return field
            }
        }
        return .resource(
            routes.type.names,
            create: [.init("trainingTemplateName", required: true), .init("description")]
                + optional(APIDescription.jobFields) + [.init("hyperparameterList", "object[]")]
                + optional(APIDescription.searchFields) + [.init("tagList", "object[]")])
    }
}
