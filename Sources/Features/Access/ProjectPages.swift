import Console
import FeatureKit
import Foundation
import Hummingbird
import Identity
import Resource
import Web

/// Projects, for who administers the server.
struct ProjectPages: Sendable {
    let directory: Directory
    let pages: Pages
    let prepare: @Sendable (Project) async throws -> Void

    func add(to group: RouterGroup<TakumiContext>) {
        group.get("projects") { request, context in try await list(try pages.page(request, context)) }
        group.post("projects") { request, context in try await create(try pages.page(request, context)) }
    }

    private func list(_ page: Page, errors: [TakumiError] = []) async throws -> Response {
        let t = page.t
        let users = try await directory.users()
        let projects = try await directory.projects().sorted { $0.metadata.name < $1.metadata.name }
        var model: [String: Any] = [
            "heading": t("menu.projects"),
            "projects": projects.map { project -> [String: Any] in
                let members = users.filter { $0.spec.memberships[project.metadata.name] != nil }
                return [
                    "name": project.metadata.name, "href": "/projects/\(project.metadata.name.pathEscaped)",
                    "tenant": Cell.code(project.spec.tenantID).model,
                    "members": members.map(\.metadata.name).joined(separator: ", "),
                    "created": Cell.time(project.metadata.createdAt).model,
                ]
            },
        ]
        model["form"] = Form(
            [
                FieldGroup(
                    t("projects.new"), hint: t("projects.newHint"),
                    [[Field("appKey", t("projects.appKey"), placeholder: "vision", autocomplete: "off")]])
            ], submit: t("projects.create")
        ).model(t, typed: errors.isEmpty ? nil : page.browser.form, errors: errors)
        return try await page.respond(
            "projects", model, title: t("menu.projects"), section: "projects",
            status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private func create(_ page: Page) async throws -> Response {
        let name = page.browser.form.text("appKey") ?? ""
        do {
            let project = try await directory.createNewProject(appKey: name)
            try await prepare(project)
            return page.redirect(to: "/administration/projects", notice: page.t("projects.created", ["name": name]))
        } catch {
            guard let errors = FormErrors.of(error) else { throw error }
            return try await list(page, errors: errors)
        }
    }
}
