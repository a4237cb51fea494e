import Console
import FeatureKit
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Resource
import Web

/// A user's own account: password, tokens.
struct AccountPages: Sendable {
    let directory: Directory
    let pages: Pages
    let throttle: LogInPages.Throttle
    let secrets: ShownOnce

    func add(to group: RouterGroup<TakumiContext>) {
        group.get("account") { request, context in
            guard context.principal != nil else { return try LogInFirst.response(request) }
            return try await show(try pages.page(request, context))
        }
        group.post("account/password") { request, context in
            try await changePassword(try pages.page(request, context))
        }
        group.post("account/tokens") { request, context in try await createToken(try pages.page(request, context)) }
        group.get("account/tokens/{id}/revoke") { request, context in
            try await confirmRevoke(try pages.page(request, context), try context.id)
        }
        group.post("account/tokens/{id}/revoke") { request, context in
            try await revoke(try pages.page(request, context), try context.id)
        }
    }

    private func user(_ page: Page) async throws -> User {
        guard let id = page.principal?.userID, let user = try await directory.user(id: id) else {
            throw TakumiError(.unauthenticated, "log in first")
        }
        return user
    }

    private func projects(_ page: Page) async throws -> [(name: String, role: Role)] {
        guard let principal = page.principal else { return [] }
        return try await directory.projects(of: principal)
    }

    /// Who came by a one-time link may have forgotten it.
    private func mustKnowPassword(_ user: User, _ page: Page) async throws -> Bool {
        guard user.spec.password != nil, let session = page.browser.session else { return false }
        return try await !directory.isFromLink(session: session)
    }

    private func place(_ page: Page) -> String { "\(page.browser.session ?? "") /account" }

    // MARK: - The page

    private func show(
        _ page: Page, form wrong: String? = nil, errors: [TakumiError] = []
    ) async throws -> Response {
        let t = page.t
        let user = try await user(page)
        let projects = try await projects(page)
        let tokens = try await directory.tokens(of: user.id)
        let typed = wrong == nil ? nil : page.browser.form
        var model: [String: Any] = [
            "heading": t("account.title"), "lead": user.metadata.name,
            "projects": projects.map { project -> [String: Any] in
                [
                    "name": project.name, "href": "/projects/\(project.name.pathEscaped)",
                    "role": t("role.\(project.role.rawValue)"),
                ]
            }, "hasProjects": !projects.isEmpty, "hasPassword": user.spec.password != nil,
            "tokens": tokens.map { token -> [String: Any] in
                [
                    "name": token.spec.label ?? "", "project": token.spec.project ?? "",
                    "role": t("role.\(token.spec.role.rawValue)"), "created": Cell.time(token.metadata.createdAt).model,
                    "expires": Cell.time(token.spec.expiresAt).model, "revoke": "/account/tokens/\(token.id)/revoke",
                ]
            }, "hasTokens": !tokens.isEmpty,
        ]
        if let secret = secrets.take(for: place(page)) { model["secret"] = secret }
        model["password"] = passwordForm(t, asksCurrent: try await mustKnowPassword(user, page)).model(
            t, typed: wrong == "password" ? FormFields() : nil, errors: wrong == "password" ? errors : [])
        model["token"] = tokenForm(t, projects).model(
            t, typed: wrong == "token" ? typed : nil, errors: wrong == "token" ? errors : [])
        return try await page.respond(
            "account", model, title: t("account.title"), status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private func passwordForm(_ t: Strings, asksCurrent: Bool) -> Form {
        let old = Field("current", t("account.current"), .password, autocomplete: "current-password")
        return Form(
            [
                FieldGroup(
                    t("account.password"),
                    (asksCurrent ? [[old]] : []) + [
                        [
                            Field(
                                "password", t("account.new"), .password, hint: t("account.passwordHint"),
                                autocomplete: "new-password"),
                            Field("repeated", t("account.repeat"), .password, autocomplete: "new-password"),
                        ]
                    ])
            ], submit: t("account.setPassword"), action: "/account/password")
    }

    private func tokenForm(_ t: Strings, _ projects: [(name: String, role: Role)]) -> Form {
        let roles = Role.allCases.map { Field.Option($0.rawValue, t("role.\($0.rawValue)")) }
        return Form(
            [
                FieldGroup(
                    t("account.newToken"), hint: t("account.tokenHint"),
                    [
                        [
                            Field("label", t("account.label"), placeholder: t("account.labelExample")),
                            Field(
                                "project", t("account.project"), .choice(projects.map { .init($0.name, $0.name) }),
                                value: projects.first { $0.name == "default" }?.name ?? projects.first?.name),
                        ],
                        [
                            Field("role", t("account.role"), .choice(roles), value: Role.member.rawValue),
                            Field(
                                "days", t("account.days"), .number(1...3650), isOptional: true,
                                placeholder: t("account.never")),
                        ],
                    ])
            ], submit: t("account.createToken"), action: "/account/tokens")
    }

    // MARK: - Password

    private func changePassword(_ page: Page) async throws -> Response {
        let t = page.t
        let user = try await user(page)
        let form = page.browser.form
        let password = form["password"] ?? ""
        do {
            if try await mustKnowPassword(user, page) { try await checkCurrent(form["current"] ?? "", user, page) }
            guard password == form["repeated"] ?? "" else {
                throw TakumiError.invalid("repeated", t("account.notSame"))
            }
            try await directory.change(user, password: password, keeping: page.browser.session)
            return page.redirect(to: "/account", notice: t("account.passwordSet"))
        } catch {
            guard let errors = FormErrors.of(error) else { throw error }
            return try await show(page, form: "password", errors: errors)
        }
    }

    /// Slowed down as log ins are: who has got hold of a session must not learn the password from it.
    private func checkCurrent(_ password: String, _ user: User, _ page: Page) async throws {
        let (name, address) = (user.metadata.name, page.browser.address)
        if let delay = throttle.state.withLock({ $0.delay(user: name, address: address, now: throttle.now) }) {
            let seconds = Int(delay.components.seconds) + 1
            throw TakumiError.invalid("current", page.t("login.wait", ["seconds": "\(seconds)"]))
        }
        throttle.state.withLock { $0.failed(user: name, address: address, now: throttle.now) }
        guard try await user.spec.password?.matches(password) ?? true else {
            throw TakumiError.invalid("current", page.t("account.wrongPassword"))
        }
        throttle.state.withLock { $0.succeeded(user: name, address: address) }
    }

    // MARK: - Tokens

    private func createToken(_ page: Page) async throws -> Response {
        let t = page.t
        let user = try await user(page)
        let form = page.browser.form
        do {
            var validator = Validator()
            let label = form.text("label")
            validator.name(label, "label")
            let project = form.text("project") ?? ""
            let own = try await projects(page).first { $0.name == project }?.role
            validator.require(own != nil, "project", t("account.notYourProject", ["name": project]))
            let role = Role(rawValue: form.text("role") ?? "")
            validator.require(role != nil, "role", t("account.unknownRole"))
            if let own, let role {
                validator.require(
                    role <= own, "role", t("account.roleTooHigh", ["role": t("role.\(own.rawValue)")]))
            }
            let days = form.text("days").map { Int($0) ?? 0 }
            validator.range(days, "days", 1...3650)
            try validator.check()
            let token = try await directory.createToken(
                .api, user: user.metadata.name, project: project, role: role ?? .viewer,
                lifetime: days.map { TimeInterval($0) * 24 * 3600 }, owner: user.id, label: label)
            secrets.keep(token.secret, for: place(page))
            return page.redirect(to: "/account")
        } catch {
            guard let errors = FormErrors.of(error) else { throw error }
            return try await show(page, form: "token", errors: errors)
        }
    }

    private func token(_ page: Page, _ id: String) async throws -> Token {
        let user = try await user(page)
        guard let token = try await directory.tokens(of: user.id).first(where: { $0.id == id }) else {
            throw TakumiError(.notFound, "there is no such token")
        }
        return token
    }

    private func confirmRevoke(_ page: Page, _ id: String) async throws -> Response {
        let t = page.t
        let token = try await token(page, id)
        let confirmation = Confirmation(
            title: t("account.revoke", ["name": token.spec.label ?? ""]), text: t("account.revokeText"),
            button: t("account.revokeButton"), back: "/account")
        return try await page.respond("confirm", confirmation.model, title: confirmation.title)
    }

    private func revoke(_ page: Page, _ id: String) async throws -> Response {
        try await directory.revoke(try await token(page, id))
        return page.redirect(to: "/account", notice: page.t("account.revoked"))
    }
}
