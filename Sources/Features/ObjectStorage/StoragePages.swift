import Console
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Resource
import Storage
import Web

/// The storage browser: containers, folders, files, access policies.
struct StoragePages: Sendable {
    let places: StoragePlaces
    let pages: Pages

    private var store: DiskStore { places.store }

    func add(to group: RouterGroup<TakumiContext>) {
        group.group("storage")
            .get { request, context in try await containers(try pages.page(request, context)) }
            .post { request, context in try await createContainer(try pages.page(request, context)) }
            .get("at") { request, context in
                let page = try pages.page(request, context)
                return page.redirect(to: try await places.page(of: page.query["uri"] ?? "", page))
            }
            .get("containers/{container}") { request, context in try await folder(try pages.page(request, context)) }
            .get("containers/{container}/**") { request, context in try await folder(try pages.page(request, context)) }
            .post("containers/{container}") { request, context in
                try await createFolder(try pages.page(request, context))
            }
            .post("containers/{container}/**") { request, context in
                try await createFolder(try pages.page(request, context))
            }
            .get("policy/{container}") { request, context in try await policy(try pages.page(request, context)) }
            .post("policy/{container}") { request, context in
                try await changePolicy(try pages.page(request, context))
            }
    }

    // MARK: - Containers

    private func containers(
        _ page: Page, typed: FormFields? = nil, errors: [TakumiError] = []
    ) async throws -> Response {
        let t = page.t
        let project = try await places.project(page)
        let account = places.service(project)
        let list = try await store.containers(project.spec.tenantID)
        var model: [String: Any] = [
            "heading": t("menu.storage"), "account": Cell.code(account.grant).model,
            "root": Cell.code(places.root(project)).model,
            "containers": list.map { container -> [String: Any] in
                [
                    "name": container.name, "href": StoragePlaces.folder(container.name, "", page),
                    "policyHref": "\(StoragePlaces.address(page))/policy/\(container.name.pathEscaped)",
                    "deleteHref": "\(StoragePlaces.address(page))/delete?container=\(container.name.pathEscaped)",
                    "count": t.number(container.objectCount), "size": Cell.bytes(container.bytesUsed),
                    "access": access(container.policy, account, project.spec.tenantID, t).map(\.model),
                ]
            }, "hasContainers": !list.isEmpty,
        ]
        model["form"] = containerForm(t).model(t, typed: typed, errors: errors)
        return try await page.respond(
            "storage", model, title: t("menu.storage"), section: "storage",
            status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private func containerForm(_ t: Strings) -> Form {
        Form(
            [
                FieldGroup(
                    t("storage.newContainer"),
                    [
                        [
                            Field("container", t("field.name"), placeholder: "datasets"),
                            Field("allowService", t("storage.allowService"), .check, value: "true"),
                        ]
                    ])
            ], submit: t("storage.create"))
    }

    /// What the service may do there, as a person reads it.
    private func access(_ policy: AccessPolicy, _ account: StorageIdentity, _ tenant: String, _ t: Strings) -> [Badge] {
        var badges: [Badge] = []
        let (reads, writes) = (
            policy.allows(account, .read, in: tenant), policy.allows(account, .write, in: tenant)
        )
        badges.append(
            reads && writes
                ? Badge(t("storage.readWrite"), .good)
                : reads
                    ? Badge(t("storage.readOnly"), .wait)
                    : writes ? Badge(t("storage.writeOnly"), .wait) : Badge(t("storage.noAccess"), .off))
        if policy.isPublic { badges.append(Badge(t("storage.public"), .bad)) }
        return badges
    }

    private func createContainer(_ page: Page) async throws -> Response {
        let typed = page.browser.form
        let project = try await places.project(page)
        do {
            guard let name = typed.text("container") else { throw TakumiError.invalid("container", "is required") }
            let path = ContainerPath(tenant: project.spec.tenantID, container: name)
            guard try await store.policy(path) == nil else {
                throw TakumiError(.conflict, page.t("storage.taken", ["name": name]), field: "container")
            }
            let grant = places.service(project).grant
            let isAllowed = typed["allowService"] == "true"
            try await store.createContainer(
                path, ContainerChange(read: isAllowed ? grant : nil, write: isAllowed ? grant : nil))
            return page.redirect(
                to: StoragePlaces.folder(name, "", page), notice: page.t("storage.created", ["name": name]))
        } catch let error as TakumiError where [.invalid, .conflict].contains(error.code) {
            return try await containers(page, typed: typed, errors: [error])
        }
    }

    // MARK: - Folders

    private func folder(_ page: Page, typed: FormFields? = nil, errors: [TakumiError] = []) async throws -> Response {
        let t = page.t
        let (container, prefix) = try StoragePlaces.split(page.path, after: "/storage/containers/")
        guard prefix.isEmpty || prefix.hasSuffix("/") else {
            return page.redirect(to: StoragePlaces.folder(container, prefix + "/", page))
        }
        let path = try await places.container(container, page)
        let marker = page.query["after"] ?? ""
        let entries = try await store.list(
            path,
            ListQuery(prefix: prefix, marker: marker, delimiter: "/", limit: StoragePlaces.pageSize + 1))
        let shown = entries.prefix(StoragePlaces.pageSize).filter { $0.name != prefix }
        var crumbs = [
            ["name": t("menu.storage"), "href": StoragePlaces.address(page)],
            ["name": container, "href": StoragePlaces.folder(container, "", page)],
        ]
        var sofar = ""
        for part in prefix.split(separator: "/") {
            sofar += "\(part)/"
            crumbs.append(["name": String(part), "href": StoragePlaces.folder(container, sofar, page)])
        }
        let heading = crumbs.removeLast()["name"] ?? container
        let uri =
            "\(places.root(try await places.project(page)))/\(container)\(prefix.isEmpty ? "" : "/")\(prefix.dropLast())"
        var model: [String: Any] = [
            "heading": heading, "crumb": true, "crumbs": crumbs, "uri": Cell.code(uri).model,
            "upload": StoragePlaces.file(container, prefix, page),
            "files": shown.map { row($0, container, prefix, page) }, "isEmpty": shown.isEmpty && marker.isEmpty,
            "snippets": [
                Snippet(t("snippet.cli"), "takumi storage cp ./folder \(uri)/").model
            ],
        ]
        if page.mayWrite {
            model["actions"] = [
                Action(
                    t("storage.policy"), href: "\(StoragePlaces.address(page))/policy/\(container.pathEscaped)",
                    icon: "key"
                ).model
            ]
            model["form"] = Form(
                [FieldGroup(t("storage.newFolder"), [[Field("folder", t("field.name"), placeholder: "data")]])],
                submit: t("storage.create")
            ).model(t, typed: typed, errors: errors)
        }
        if entries.count > StoragePlaces.pageSize, let last = shown.last {
            model["more"] = "\(StoragePlaces.folder(container, prefix, page))?after=\(last.name.pathEscaped)"
        }
        return try await page.respond(
            "storage-folder", model, title: heading, section: "storage",
            status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private func row(_ entry: ListEntry, _ container: String, _ prefix: String, _ page: Page) -> [String: Any] {
        let name = String(entry.name.dropFirst(prefix.count))
        let delete =
            "\(StoragePlaces.address(page))/delete?container=\(container.pathEscaped)&name=\(entry.name.pathEscaped)"
        switch entry {
        case .folder:
            return [
                "icon": "folder", "name": name, "href": StoragePlaces.folder(container, entry.name, page),
                "deleteHref": delete,
            ]
        case .object(let info):
            return [
                "icon": "file", "name": name, "href": StoragePlaces.file(container, entry.name, page),
                "deleteHref": delete, "size": Cell.bytes(info.size),
                "time": Cell.model(Date(timeIntervalSince1970: Double(info.timestamp.wholeSeconds))),
            ]
        }
    }

    private func createFolder(_ page: Page) async throws -> Response {
        let (container, prefix) = try StoragePlaces.split(page.path, after: "/storage/containers/")
        let path = try await places.container(container, page)
        do {
            guard let name = page.browser.form.text("folder") else {
                throw TakumiError.invalid("folder", "is required")
            }
            guard name.split(separator: "/").allSatisfy({ $0 != "." && $0 != ".." }), !name.hasPrefix("/") else {
                throw TakumiError.invalid("folder", page.t("storage.folderName", ["name": name]))
            }
            let folder = "\(prefix)\(name)\(name.hasSuffix("/") ? "" : "/")"
            // A folder is a name that others begin with. This keeps an empty one, as other consoles do.
            _ = try await store.put(
                path.object(folder), ObjectAttributes(contentType: "application/directory"), body: EmptyBody())
            return page.redirect(to: StoragePlaces.folder(container, folder, page))
        } catch let error as TakumiError where error.code == .invalid {
            return try await self.folder(
                page, typed: page.browser.form, errors: [.invalid("folder", error.message)])
        }
    }

    // MARK: - Access policy

    private func policy(_ page: Page, typed: FormFields? = nil, errors: [TakumiError] = []) async throws -> Response {
        let t = page.t
        let (container, _) = try StoragePlaces.split(page.path, after: "/storage/policy/")
        let path = try await places.container(container, page)
        guard let current = try await store.policy(path) else {
            throw TakumiError(.notFound, "container '\(container.excerpt)' does not exist")
        }
        let project = try await places.project(page)
        let account = places.service(project)
        let back = StoragePlaces.folder(container, "", page)
        let form = Form(
            [
                FieldGroup(
                    t("storage.policy"), hint: t("storage.policyHint"),
                    [
                        [
                            Field(
                                "read", t("storage.readers"), .area, hint: t("storage.readersHint"), isOptional: true,
                                placeholder: account.grant, value: current.readHeader)
                        ],
                        [
                            Field(
                                "write", t("storage.writers"), .area, hint: t("storage.writersHint"), isOptional: true,
                                placeholder: account.grant, value: current.writeHeader)
                        ],
                    ])
            ], submit: t("form.save"), cancel: back)
        var model: [String: Any] = [
            "heading": t("storage.policyOf", ["name": container]), "crumb": true,
            "crumbs": [
                ["name": t("menu.storage"), "href": StoragePlaces.address(page)], ["name": container, "href": back],
            ], "account": Cell.code(account.grant).model,
            "access": access(current, account, project.spec.tenantID, t).map(\.model),
        ]
        model["form"] = form.model(t, typed: typed, errors: errors)
        return try await page.respond(
            "storage-policy", model, title: t("storage.policy"), section: "storage",
            status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private func changePolicy(_ page: Page) async throws -> Response {
        let (container, _) = try StoragePlaces.split(page.path, after: "/storage/policy/")
        let path = try await places.container(container, page)
        let typed = page.browser.form
        do {
            try await store.updateContainer(
                path, ContainerChange(read: typed.text("read") ?? "", write: typed.text("write") ?? ""))
            return page.redirect(to: StoragePlaces.folder(container, "", page), notice: page.t("notice.saved"))
        } catch let error as TakumiError where error.code == .invalid {
            let field = error.field == "X-Container-Write" ? "write" : "read"
            return try await policy(page, typed: typed, errors: [.invalid(field, error.message)])
        }
    }
}

/// No bytes.
struct EmptyBody: AsyncSequence, Sendable {
    struct Iterator: AsyncIteratorProtocol {
        mutating func next() async throws -> ByteBuffer? { nil }
    }

    func makeAsyncIterator() -> Iterator { Iterator() }
}
