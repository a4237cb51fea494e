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
    let store: Store

    package init(_ routes: ResourceRoutes<Type>, _ pages: Pages, store: Store) {
        self.routes = routes
        self.pages = pages
        self.store = store
    }

    var type: Type { routes.type }
    var names: WireNames { type.names }
    var section: String { type.section }

    package func add(to group: RouterGroup<TakumiContext>) {
        let all = group.group(RouterPath(names.collection))
        let one = all.group("{id}")
            .get { request, context in try await overview(pages.page(request, context), context) }
        guard !type.isPart else { return }
        all.get { request, context in try await list(pages.page(request, context)) }
            .post { request, context in try await create(pages.page(request, context)) }
            .get("new") { request, context in try await fresh(pages.page(request, context)) }
        one.get("history") { request, context in try await history(pages.page(request, context), context) }
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
        var model: [String: Any] = ["heading": page.t("\(names.singular).title")]
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
            "list", model, title: page.t("\(names.singular).title"), section: section, live: live(page))
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
    package func heading(_ resource: Type.Object, _ page: Page, tab: String) async throws -> [String: Any] {
        let address = type.address(resource.id, page)
        let t = page.t
        let phase = resource.status.phase
        var model: [String: Any] = ["heading": resource.metadata.name]
        model["crumb"] = true
        model["crumbs"] = try await type.crumbs(resource, page) ?? crumbs(page)
        model["badge"] = type.badge(resource).model
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
            [Tab("", t("detail.overview"))] + related + type.tabs(t)
            + (type.isPart ? [] : [Tab("history", t("detail.history"))])
        model["hasTabs"] = true
        model["tabs"] = tabs.map { item -> [String: Any] in
            let isCurrent = item.id == tab
            if let refusal = type.refusal(ofTab: item.id, resource, t) {
                return ["name": item.name, "current": isCurrent, "disabled": ["why": refusal]]
            }
            return [
                "name": item.name, "current": isCurrent, "href": item.id.isEmpty ? address : "\(address)/\(item.id)",
            ]
        }
        var actions = try await type.actions(resource, page)
        if page.mayWrite, !type.isPart {
            if type.hasEdit { actions.append(Action(t("action.edit"), href: "\(address)/edit", icon: "edit")) }
            actions.append(
                Action(t("action.delete"), href: "\(address)/delete", look: .danger, isDialog: true, icon: "trash"))
        }
        model["actions"] = actions.map(\.model)
        return model
    }

    /// The stream of changes of one resource's pages.
    package func live(_ resource: Type.Object, _ page: Page) -> String {
        type.parts.isEmpty ? "\(live(page))&id=\(resource.id)" : live(page)
    }

    /// The stream of changes of the whole kind.
    private func live(_ page: Page) -> String {
        "\(page.base)/live?" + ([names.kind] + type.parts).map { "kind=\($0)" }.joined(separator: "&")
    }

    /// The resource that a path names, and the page that is asked for.
    package func load(_ request: Request, _ context: TakumiContext) async throws -> (Type.Object, Page) {
        (try await routes.resource(context), try pages.page(request, context))
    }

    /// The same for who may change it.
    /// - Throws: `forbidden` for others, whether there is such a resource or not.
    package func loadToChange(_ request: Request, _ context: TakumiContext) async throws -> (Type.Object, Page) {
        let page = try pages.page(request, context)
        try page.checkMayWrite()
        return (try await routes.resource(context), page)
    }

    /// A page of one resource of the kind's own.
    package func respond(
        _ template: String, _ resource: Type.Object, _ page: Page, tab: String, live: String? = nil,
        _ more: [String: Any]
    ) async throws -> Response {
        let model = try await heading(resource, page, tab: tab).merging(more) { $1 }
        return try await page.respond(
            template, model, title: resource.metadata.name, section: section, live: live ?? self.live(resource, page))
    }

    private func overview(_ page: Page, _ context: TakumiContext) async throws -> Response {
        let resource = try await routes.resource(context)
        let wire = try await type.wire([resource], project: resource.metadata.project)[0]
        let t = page.t
        var cards = try await type.cards(resource, wire, page)
        var about: [(name: String, value: Cell)] = [
            (t("detail.id"), .code(resource.id)), (t("detail.created"), .time(resource.metadata.createdAt)),
        ]
        if !type.isPart {
            about.append(
                (
                    t("detail.tags"),
                    .lines(resource.metadata.tags.map { $0.value.isEmpty ? $0.key : "\($0.key): \($0.value)" })
                ))
        }
        cards.append(FactCard(t("detail.about"), about))
        var model: [String: Any] = ["cards": cards.map(\.model)]
        let examples = type.examples(resource, wire, page)
        model["hasExamples"] = !examples.isEmpty
        model["examplesTitle"] = t("\(names.singular).examples")
        model["snippets"] = examples.map(\.model)
        return try await respond("detail", resource, page, tab: "", model)
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

    // MARK: - Helpers

    /// Above whatever belongs to one resource: the way back to the list.
    func crumbs(_ page: Page) -> [[String: String]] {
        [["name": page.t("\(names.singular).title"), "href": "\(page.base)/\(names.collection)"]]
    }

    func createAction(_ page: Page) -> Action {
        Action(
            page.t("\(names.singular).new"), href: "\(page.base)/\(names.collection)/new", look: .primary, icon: "plus")
    }
}
