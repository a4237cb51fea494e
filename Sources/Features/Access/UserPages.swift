import Console
import FeatureKit
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Resource
import Web

/// Users and their roles, for who administers the server.
struct UserPages: Sendable {
    let directory: Directory
    let pages: Pages
    let secrets: ShownOnce

    private static let path = "/administration/users"
    /// Seconds that a link for a new user, or one who has forgotten the password, is good for.
    private static let linkLifetime: TimeInterval = 24 * 3600

    func add(to group: RouterGroup<TakumiContext>) {
        group.group("users")
            .get { request, context in try await list(try pages.page(request, context)) }
            .post { request, context in try await create(try pages.page(request, context)) }
            .group("{id}")
            .get { request, context in try await show(try pages.page(request, context), try await user(context)) }
            .post("roles") { request, context in
                try await setRoles(try pages.page(request, context), try await user(context))
            }
            .post("link") { request, context in
                try await makeLink(request, try pages.page(request, context), try await user(context))
            }
            .get("delete") { request, context in
                try await confirmDelete(try pages.page(request, context), try await user(context))
            }
            .post("delete") { request, context in
                let user = try await user(context)
                try await directory.deleteUser(user.id)
                let page = try pages.page(request, context)
                return page.redirect(
                    to: UserPages.path, notice: page.t("users.deleted", ["name": user.metadata.name]))
            }
    }

    private func user(_ context: TakumiContext) async throws -> User {
        guard let user = try await directory.user(id: try context.id.lowercased()) else {
            throw TakumiError(.notFound, "there is no such user")
        }
        return user
    }

    // MARK: - List and create

    private func list(_ page: Page, errors: [TakumiError] = []) async throws -> Response {
        let t = page.t
        let users = try await directory.users()
        var model: [String: Any] = [
            "heading": t("menu.users"),
            "users": users.map { user -> [String: Any] in
                [
                    "name": user.metadata.name, "href": "\(UserPages.path)/\(user.id)",
                    "badges": user.spec.isAdministrator ? [Badge(t("role.administrator"), .busy).model] : [],
                    "projects": user.spec.memberships.sorted { $0.key < $1.key }.map {
                        "\($0.key) (\(t("role.\($0.value.rawValue)")))"
                    }.joined(separator: ", "),
                    "password": user.spec.password == nil ? t("users.noPassword") : t("value.yes"),
                    "created": Cell.time(user.metadata.createdAt).model,
                ]
            },
        ]
        model["form"] = Form(
            [
                FieldGroup(
                    t("users.new"), hint: t("users.newHint"),
                    [
                        [
                            Field("userName", t("login.userName"), placeholder: "hanako", autocomplete: "off"),
                            Field("isAdministrator", t("users.administrator"), .check),
                        ]
                    ])
            ], submit: t("users.create")
        ).model(t, typed: errors.isEmpty ? nil : page.browser.form, errors: errors)
        return try await page.respond(
            "users", model, title: t("menu.users"), section: "users",
            status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private func create(_ page: Page) async throws -> Response {
        let form = page.browser.form
        do {
            let user = try await directory.createUser(
                name: form.text("userName") ?? "", isAdministrator: form["isAdministrator"] == "true")
            return page.redirect(
                to: "\(UserPages.path)/\(user.id)", notice: page.t("users.created", ["name": user.metadata.name]))
        } catch {
            guard let errors = FormErrors.of(error) else { throw error }
            return try await list(page, errors: errors)
        }
    }

    // MARK: - One user

    private func place(_ page: Page, _ user: User) -> String { "\(page.browser.session ?? "") \(user.id)" }

    private func show(_ page: Page, _ user: User) async throws -> Response {
        let t = page.t
        let projects = try await directory.projects().map(\.metadata.name).sorted()
        var model: [String: Any] = [
            "heading": user.metadata.name, "crumb": true,
            "crumbs": [["name": t("menu.users"), "href": UserPages.path]],
            "path": "\(UserPages.path)/\(user.id)", "isAdministrator": user.spec.isAdministrator,
            "hasPassword": user.spec.password != nil,
            "roles": ([""] + Role.allCases.map(\.rawValue)).map {
                ["name": t($0.isEmpty ? "role.none" : "role.\($0)")]
            },
            "projects": projects.map { project -> [String: Any] in
                let role = user.spec.memberships[project]?.rawValue ?? ""
                return [
                    "name": project,
                    "choices": ([""] + Role.allCases.map(\.rawValue)).map { value -> [String: Any] in
                        [
                            "project": project, "value": value, "checked": value == role,
                            "label": "\(project): \(t(value.isEmpty ? "role.none" : "role.\(value)"))",
                        ]
                    },
                ]
            },
            "actions": [
                Action(
                    t("action.delete"), href: "\(UserPages.path)/\(user.id)/delete", look: .danger, isDialog: true,
                    icon: "trash"
                ).model
            ],
        ]
        if let link = secrets.take(for: place(page, user)) { model["link"] = link }
        return try await page.respond("user", model, title: user.metadata.name, section: "users")
    }

    private func setRoles(_ page: Page, _ user: User) async throws -> Response {
        let form = page.browser.form
        var roles: [String: Role?] = [:]
        for project in try await directory.projects().map(\.metadata.name) {
            if let value = form["role:\(project)"] { roles.updateValue(Role(rawValue: value), forKey: project) }
        }
        try await directory.change(user, isAdministrator: form["isAdministrator"] == "true", roles: roles)
        return page.redirect(to: "\(UserPages.path)/\(user.id)", notice: page.t("notice.saved"))
    }

    /// A one-time link is how a new user gets in, and one who has forgotten the password.
    private func makeLink(_ request: Request, _ page: Page, _ user: User) async throws -> Response {
        let token = try await directory.createToken(
            .login, user: user.metadata.name, project: nil, role: .viewer, lifetime: UserPages.linkLifetime,
            owner: user.id)
        let host = request.head.authority ?? ""
        let scheme = page.browser.isSecure ? "https" : "http"
        secrets.keep("\(scheme)://\(host)/login?token=\(token.secret)", for: place(page, user))
        return page.redirect(to: "\(UserPages.path)/\(user.id)")
    }

    private func confirmDelete(_ page: Page, _ user: User) async throws -> Response {
        let t = page.t
        let confirmation = Confirmation(
            title: t("users.delete", ["name": user.metadata.name]), text: t("users.deleteText"),
            button: t("action.delete"), back: "\(UserPages.path)/\(user.id)")
        return try await page.respond("confirm", confirmation.model, title: confirmation.title, section: "users")
    }
}
