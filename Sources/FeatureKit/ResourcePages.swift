import Console
import Foundation
import HTTPTypes
import Hummingbird
import Resource
import Store
import Web

/// The pages that every kind has, over the same checks and the same store as its routes of the API.
package struct ResourcePages<Type: PagedType>: Sendable {
    package let routes: ResourceRoutes<Type>
    package let pages: Pages
    private let store: Store

    package init(_ routes: ResourceRoutes<Type>, _ pages: Pages, store: Store) {
        self.routes = routes
        self.pages = pages
        self.store = store
    }

    private var type: Type { routes.type }
    private var names: WireNames { type.names }
    /// The id of the menu's entry.
    private var section: String { names.collection }

    package func add(to group: RouterGroup<TakumiContext>) {
        group.group(RouterPath(names.collection))
            .get { request, context in try await list(pages.page(request, context)) }
            .post { request, context in try await create(pages.page(request, context)) }
            .get("new") { request, context in try await fresh(pages.page(request, context)) }
            .group("{id}")
            .get { request, context in try await overview(pages.page(request, context), context) }
            .get("history") { request, context in try await history(pages.page(request, context), context) }
            .get("tab/{tab}") { request, context in try await related(pages.page(request, context), context) }
            .get("edit") { request, context in try await edit(pages.page(request, context), context) }
            .post("edit") { request, context in try await change(pages.page(request, context), context) }
            .get("delete") { request, context in try await confirmDelete(pages.page(request, context), context) }
            .post("delete") { request, context in try await delete(pages.page(request, context), context) }
            .get("do/{action}") { request, context in try await confirm(pages.page(request, context), context) }
            .post("do/{action}") { request, context in try await perform(pages.page(request, context), context) }
    }

    // MARK: - List

    private func list(_ page: Page) async throws -> Response {
        let request = ListRequest(page.query, more: type.filterNames)
        var query = Query(names.kind, project: page.project)
        request.apply(to: &query)
        for kind in type.embeds {
            if let id = request.more["\(kind)Id"], !id.isEmpty { query.referring = ResourceKey(kind, id.lowercased()) }
        }
        let records = try await store.records(query)
        let resources: [Type.Object] = try records.map { try $0.decoded() }
        let total = try await store.count(query)
        let isEmpty = total == 0 && !request.isFiltered
        var model = heading(page, title: page.t("\(names.singular).title"))
        model["isEmpty"] = isEmpty
        if page.mayWrite { model["actions"] = isEmpty ? [] : [createAction(page).model] }
        model["icon"] = type.icon
        if isEmpty {
            model["emptyTitle"] = page.t("\(names.singular).empty.title")
            model["emptyText"] = page.t("\(names.singular).empty.text")
            model["create"] = createAction(page).model
            model["snippets"] = type.snippets(page).map(\.model)
        } else {
            let listing = Listing(
                request: request, path: "\(page.base)/\(names.collection)", label: page.t("\(names.singular).title"),
                columns: type.columns(page.t), rows: try await rows(resources, page), total: total,
                countText: page.t.count("\(names.singular).count", total),
                filters: [stateFilter(page)] + (try await type.filters(page)), pick: type.pick(page))
            model["listing"] = listing.model(page.t)
        }
        return try await page.respond(
            "list", model, title: page.t("\(names.singular).title"), section: section,
            live: "\(page.base)/live?kind=\(names.kind)")
    }

    private func stateFilter(_ page: Page) -> Listing.Filter {
        .init(
            "state", page.t("list.state"),
            Type.Status.PhaseType.allCases.map { Field.Option($0.rawValue, $0.displayName) })
    }

    /// The resources of this kind that refer to another one, as a list on a page of the other.
    /// - Parameter path: of that page.
    package func listing(referring key: ResourceKey, path: String, _ page: Page) async throws -> Listing {
        let request = ListRequest(page.query)
        var query = Query(names.kind, project: page.project)
        request.apply(to: &query)
        query.referring = key
        let resources: [Type.Object] = try await store.records(query).map { try $0.decoded() }
        let total = try await store.count(query)
        return Listing(
            request: request, path: path, label: page.t("\(names.singular).title"), columns: type.columns(page.t),
            rows: try await rows(resources, page), total: total,
            countText: page.t.count("\(names.singular).count", total), filters: [stateFilter(page)],
            pick: type.pick(page))
    }

    /// Rows of this kind, for lists on other kinds' pages, too.
    package func rows(_ resources: [Type.Object], _ page: Page) async throws -> [ListRow] {
        let wires = try await type.wire(resources, project: page.project ?? "")
        return zip(resources, wires).map { resource, wire in
            ListRow(
                id: resource.id, name: resource.metadata.name, href: type.address(resource.id, page),
                cells: type.cells(resource, wire, page))
        }
    }

    // MARK: - Details

    /// What every page of one resource begins with.
    package func heading(_ resource: Type.Object, _ page: Page, tab: String) -> [String: Any] {
        let address = type.address(resource.id, page)
        let t = page.t
        let phase = resource.status.phase
        var model = heading(page, title: resource.metadata.name)
        model["crumb"] = true
        model["crumbs"] = [["name": t("\(names.singular).title"), "href": "\(page.base)/\(names.collection)"]]
        model["badge"] = Badge(phase, cause: resource.status.cause).model
        if !resource.metadata.description.isEmpty { model["lead"] = resource.metadata.description }
        if let cause = resource.status.cause, phase.isFailure || !phase.isSettled {
            var banner: [String: Any] = [
                "text": cause, "tone": phase.isFailure ? "bad" : "wait", "icon": phase.isFailure ? "warning" : "clock",
            ]
            if phase.isFailure, let link = type.causeLink(resource, page) { banner["more"] = link.model }
            model["cause"] = banner
        }
        let related = pages.related.filter { $0.kind == names.kind }.map { Tab("tab/\($0.id)", t($0.name)) }
        let tabs =
            [Tab("", t("detail.overview"))] + related + type.tabs(t) + [Tab("history", t("detail.history"))]
        model["hasTabs"] = true
        model["tabs"] = tabs.map { item -> [String: Any] in
            ["name": item.name, "href": item.id.isEmpty ? address : "\(address)/\(item.id)", "current": item.id == tab]
        }
        var actions = type.actions(resource, page)
        if page.mayWrite {
            actions.append(Action(t("action.edit"), href: "\(address)/edit", icon: "edit"))
            actions.append(
                Action(t("action.delete"), href: "\(address)/delete", look: .danger, isDialog: true, icon: "trash"))
        }
        model["actions"] = actions.map(\.model)
        return model
    }

    /// The stream of changes of one resource's pages.
    package func live(_ resource: Type.Object, _ page: Page) -> String {
        "\(page.base)/live?kind=\(names.kind)&id=\(resource.id)"
    }

    /// A page of one resource of the kind's own.
    package func respond(
        _ template: String, _ resource: Type.Object, _ page: Page, tab: String, live: String? = nil,
        _ more: [String: Any]
    ) async throws -> Response {
        let model = heading(resource, page, tab: tab).merging(more) { $1 }
        return try await page.respond(
            template, model, title: resource.metadata.name, section: section, live: live ?? self.live(resource, page))
    }

    private func overview(_ page: Page, _ context: TakumiContext) async throws -> Response {
        let resource = try await routes.resource(context)
        let wire = try await type.wire([resource], project: resource.metadata.project)[0]
        let t = page.t
        var cards = try await type.cards(resource, wire, page)
        cards.append(
            FactCard(
                t("detail.about"),
                [
                    (t("detail.id"), .code(resource.id)),
                    (t("detail.created"), .time(resource.metadata.createdAt)),
                    (
                        t("detail.tags"),
                        .lines(resource.metadata.tags.map { $0.value.isEmpty ? $0.key : "\($0.key): \($0.value)" })
                    ),
                ]))
        return try await respond(
            "detail", resource, page, tab: "", ["cards": cards.map(\.model)])
    }

    private func related(_ page: Page, _ context: TakumiContext) async throws -> Response {
        let resource = try await routes.resource(context)
        let id = try context.parameters.require("tab")
        guard let tab = pages.related.first(where: { $0.kind == names.kind && $0.id == id }) else {
            throw TakumiError(.notFound, "there is no such page")
        }
        let (template, model) = try await tab.content(resource.key, page)
        return try await respond(
            template, resource, page, tab: "tab/\(id)", live: model["live"] as? String, model)
    }

    private func history(_ page: Page, _ context: TakumiContext) async throws -> Response {
        let resource = try await routes.resource(context)
        let events = try await store.events(of: resource.key)
        let model: [String: Any] = [
            "events": events.reversed().map { event in EventModel.model(event, resource: nil) }
        ]
        return try await respond("events", resource, page, tab: "history", model)
    }

    // MARK: - Create

    private func fresh(_ page: Page) async throws -> Response {
        guard page.mayWrite else { throw TakumiError(.forbidden, page.t("error.viewer")) }
        var copied: Type.Object?
        if let id = page.query["copy"] {
            let key = ResourceKey(names.kind, id.lowercased())
            guard let record = try await store.record(key, project: page.project) else { throw Store.missing(key) }
            copied = try record.decoded()
        }
        let form = try await type.form(page, copied: copied)
        let typed = copied.map { original in
            var fields = type.fields(of: original)
            fields.set(names.nameField, String("\(original.metadata.name)-copy".prefix(Limits.name)))
            return fields
        }
        return try await show(form, page, typed: typed)
    }

    private func create(_ page: Page) async throws -> Response {
        let form = try await type.form(page, copied: nil)
        let typed = page.browser.form
        do {
            let body = try JSONDecoder().decode(Type.Create.self, from: form.json(typed))
            let draft = try await type.draft(body, project: page.project ?? "")
            let resource = try await routes.insert(draft, project: page.project ?? "")
            return page.redirect(
                to: type.address(resource.id, page),
                notice: page.t("\(names.singular).created", ["name": resource.metadata.name]))
        } catch {
            guard let errors = FormErrors.of(error) else { throw error }
            return try await show(form, page, typed: typed, errors: errors)
        }
    }

    private func show(_ form: Form, _ page: Page, typed: FormFields?, errors: [TakumiError] = []) async throws
        -> Response
    {
        let title = page.t("\(names.singular).new")
        var model = heading(page, title: title)
        model["crumb"] = true
        model["crumbs"] = [["name": page.t("\(names.singular).title"), "href": "\(page.base)/\(names.collection)"]]
        var form = form
        form.action = "\(page.base)/\(names.collection)"
        model["form"] = form.model(page.t, typed: typed, errors: errors)
        return try await page.respond(
            "form", model, title: title, section: section, status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    // MARK: - Change

    private func editForm(_ resource: Type.Object, _ page: Page) -> Form {
        let t = page.t
        return Form(
            [
                FieldGroup(
                    t("detail.about"),
                    [
                        [Field(names.nameField, t("field.name"))],
                        [Field("description", t("field.description"), .area, isOptional: true)],
                        [.tags(t)],
                    ])
            ], submit: t("form.save"), cancel: type.address(resource.id, page))
    }

    private func edit(_ page: Page, _ context: TakumiContext) async throws -> Response {
        guard page.mayWrite else { throw TakumiError(.forbidden, page.t("error.viewer")) }
        let resource = try await routes.resource(context)
        let metadata = resource.metadata
        let typed = FormFields(
            [(names.nameField, metadata.name), ("description", metadata.description)] + FormFields.tags(metadata.tags))
        return try await show(editForm(resource, page), of: resource, page, typed: typed)
    }

    private func change(_ page: Page, _ context: TakumiContext) async throws -> Response {
        let resource = try await routes.resource(context)
        let typed = page.browser.form
        let fields = typed.compacted
        let tags = (0..<fields.rowCount("tagList")).map { row in
            Tag(key: fields["tagList[\(row)].tagKey"] ?? "", value: fields["tagList[\(row)].tagValue"] ?? "")
        }
        do {
            _ = try await routes.change(
                resource, name: fields[names.nameField] ?? "", description: fields["description"] ?? "", tags: tags)
            return page.redirect(to: type.address(resource.id, page), notice: page.t("notice.saved"))
        } catch {
            guard let errors = FormErrors.of(error) else { throw error }
            return try await show(editForm(resource, page), of: resource, page, typed: typed, errors: errors)
        }
    }

    private func show(
        _ form: Form, of resource: Type.Object, _ page: Page, typed: FormFields, errors: [TakumiError] = []
    ) async throws -> Response {
        var model = heading(page, title: resource.metadata.name)
        model["crumb"] = true
        model["crumbs"] = [["name": page.t("\(names.singular).title"), "href": "\(page.base)/\(names.collection)"]]
        model["form"] = form.model(page.t, typed: typed, errors: errors)
        return try await page.respond(
            "form", model, title: resource.metadata.name, section: section,
            status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    // MARK: - Delete and the kind's own actions

    private func confirmDelete(_ page: Page, _ context: TakumiContext) async throws -> Response {
        guard page.mayWrite else { throw TakumiError(.forbidden, page.t("error.viewer")) }
        let resource = try await routes.resource(context)
        let dependents = try await store.dependents(of: resource.key)
        let t = page.t
        let refusal = await refusalToDelete(resource)
        let confirmation = Confirmation(
            title: t("\(names.singular).delete", ["name": resource.metadata.name]),
            text: t("\(names.singular).deleteText"), button: t("action.delete"),
            dependents: dependents.map { record in
                (
                    record.metadata.name, page.address(of: record.key),
                    Badge(
                        record.phase.replacing("_", with: " "),
                        Tone(
                            phase: record.phase, isFailure: record.phase.contains("FAIL"), isSettled: record.settled,
                            cause: nil))
                )
            }, dependentsTitle: t("delete.dependents"), refusal: refusal, back: type.address(resource.id, page))
        return try await page.respond(
            "confirm", confirmation.model, title: confirmation.title, section: section)
    }

    /// Why it cannot be deleted now, before anybody tries.
    private func refusalToDelete(_ resource: Type.Object) async -> String? {
        do {
            try await store.checkDeletable(resource.key)
            try await type.checkDelete(resource)
            return nil
        } catch { return (error as? TakumiError)?.message ?? "\(error)" }
    }

    private func delete(_ page: Page, _ context: TakumiContext) async throws -> Response {
        let resource = try await routes.resource(context)
        try await routes.delete(resource)
        return page.redirect(
            to: "\(page.base)/\(names.collection)",
            notice: page.t("\(names.singular).deleted", ["name": resource.metadata.name]))
    }

    private func confirm(_ page: Page, _ context: TakumiContext) async throws -> Response {
        guard page.mayWrite else { throw TakumiError(.forbidden, page.t("error.viewer")) }
        let resource = try await routes.resource(context)
        let action = try context.parameters.require("action")
        guard let confirmation = type.confirmation(action, resource, page) else {
            throw TakumiError(.notFound, "there is no such page")
        }
        return try await page.respond("confirm", confirmation.model, title: confirmation.title, section: section)
    }

    private func perform(_ page: Page, _ context: TakumiContext) async throws -> Response {
        let resource = try await routes.resource(context)
        let action = try context.parameters.require("action")
        guard type.confirmation(action, resource, page) != nil else {
            throw TakumiError(.notFound, "there is no such page")
        }
        try await type.perform(action, resource, page)
        return page.redirect(
            to: type.address(resource.id, page), notice: page.t("\(names.singular).did.\(action)"))
    }

    // MARK: - Helpers

    private func heading(_ page: Page, title: String) -> [String: Any] { ["heading": title] }

    private func createAction(_ page: Page) -> Action {
        Action(
            page.t("\(names.singular).new"), href: "\(page.base)/\(names.collection)/new", look: .primary, icon: "plus")
    }
}

/// What a form can show beside its fields; nil for what is not the form's fault.
package enum FormErrors {
    package static func of(_ error: any Error) -> [TakumiError]? {
        switch error {
        case let error as ValidationErrors: error.errors
        case let error as DecodingError: [DecodingProblem.explained(error)]
        case let error as TakumiError where [.invalid, .conflict, .unavailable].contains(error.code): [error]
        default: nil
        }
    }
}

extension FormFields {
    /// As the rows of a form's tags.
    package static func tags(_ tags: [Tag]) -> [(name: String, value: String)] {
        tags.enumerated().flatMap { index, tag in
            [("tagList[\(index)].tagKey", tag.key), ("tagList[\(index)].tagValue", tag.value)]
        }
    }
}

extension Field {
    /// The tags of a resource (C-2).
    package static func tags(_ t: Strings) -> Field {
        Field(
            "tagList", t("field.tags"),
            .rows(
                [
                    Field("tagKey", t("field.tagKey"), placeholder: t("field.tagKey")),
                    Field("tagValue", t("field.tagValue"), placeholder: t("field.tagValue")),
                ], add: t("field.addTag")), hint: t("field.tagsHint"))
    }
}

/// An event as the timeline's template wants it.
package enum EventModel {
    package static func model(_ event: Event, resource: (name: String, href: String)?) -> [String: Any] {
        // Of a kind that may not be known here: by what all wire codes have in common.
        let isFailure = event.phase.contains("FAIL")
        let isSettled =
            !event.phase.hasSuffix("PROGRESS") && !event.phase.hasSuffix("REQUESTED")
            && event.phase != "RUNNING"
        let tone = Tone(phase: event.phase, isFailure: isFailure, isSettled: isSettled, cause: nil)
        var model: [String: Any] = [
            "time": Cell.model(event.at), "tone": tone.rawValue, "message": event.message,
            "badge": Badge(event.phase.replacing("_", with: " "), tone).model,
        ]
        if let resource { model["resource"] = ["name": resource.name, "href": resource.href] }
        return model
    }
}
