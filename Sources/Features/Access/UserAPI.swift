import FeatureKit
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Resource
import Web

/// Users and projects over the API, for tokens of the whole server. What the vendor's API leaves to its own console.
struct UserAPI: Sendable {
    let directory: Directory
    let prepare: @Sendable (Project) async throws -> Void

    private struct WireUser: Encodable {
        var userId: String
        var userName: String
        var isAdministrator: Bool
        var hasPassword: Bool
        var roles: [String: String]
        var createdDatetime: String

        init(_ user: User) {
            userId = user.id
            userName = user.metadata.name
            isAdministrator = user.spec.isAdministrator
            hasPassword = user.spec.password != nil
            roles = user.spec.memberships.mapValues(\.rawValue)
            createdDatetime = WireJSON.time(user.metadata.createdAt)
        }
    }

    private struct WireProject: Encodable {
        var appKey: String
        var tenantId: String

        init(_ project: Project) {
            appKey = project.metadata.name
            tenantId = project.spec.tenantID
        }
    }

    private struct CreateUser: Decodable {
        var userName: String?
        var password: String?
        var isAdministrator: Bool?
        var roles: [String: String]?
    }

    private struct ChangeUser: Decodable {
        var password: String?
        var isAdministrator: Bool?
        /// A role of null, or an empty one, takes the user out of the project.
        var roles: [String: String?]?
    }

    private struct CreateProject: Decodable {
        var appKey: String?
    }

    static let description = APIDescription([
        .init("GET", "/users", "List the users; for who administers the server", payload: "userList", isOfServer: true),
        .init(
            "POST", "/users", "Create a user",
            body: [
                .init("userName", required: true), .init("password"), .init("isAdministrator", "boolean"),
                .init("roles", "object", note: "app key to viewer, member or administrator"),
            ], payload: "user", isOfServer: true),
        .init(
            "PUT", "/users/{name}", "Change password, roles or administration",
            body: [
                .init("password"), .init("isAdministrator", "boolean"),
                .init("roles", "object", note: "app key to role; an empty role takes the user out"),
            ], payload: "user", isOfServer: true),
        .init("DELETE", "/users/{name}", "Delete a user with sessions and tokens", isOfServer: true),
        .init("GET", "/projects", "List the projects", payload: "projectList", isOfServer: true),
        .init(
            "POST", "/projects", "Create a project", body: [.init("appKey", required: true)], payload: "project",
            isOfServer: true),
    ])

    func add(to router: Router<TakumiContext>) {
        let group = router.group("v1.0").add(middleware: ServerTokensOnly())
        group.get("users") { _, _ in try Envelope.one("userList", try await directory.users().map(WireUser.init)) }
            .post("users") { request, context in
                let body = try await request.json(CreateUser.self, context: context)
                var roles: [String: Role] = [:]
                for (project, role) in body.roles ?? [:] { roles[project] = try await self.role(role, in: project) }
                let user = try await directory.createUser(
                    name: body.userName ?? "", password: body.password, isAdministrator: body.isAdministrator ?? false,
                    memberships: roles)
                return try Envelope.one("user", WireUser(user))
            }
            .put("users/{name}") { request, context in
                try await change(
                    try await user(context), try await request.json(ChangeUser.self, context: context))
                return try Envelope.one("user", WireUser(try await user(context)))
            }
            .delete("users/{name}") { _, context in
                try await directory.deleteUser(try await user(context).id)
                return Envelope.empty()
            }
            .get("projects") { _, _ in
                try Envelope.one("projectList", try await directory.projects().map(WireProject.init))
            }
            .post("projects") { request, context in
                let body = try await request.json(CreateProject.self, context: context)
                let project = try await directory.createNewProject(appKey: body.appKey ?? "")
                try await prepare(project)
                return try Envelope.one("project", WireProject(project))
            }
    }

    private func user(_ context: TakumiContext) async throws -> User {
        let name = try context.parameters.require("name")
        guard let user = try await directory.user(name: name) else {
            throw TakumiError(.notFound, "no user has the name '\(name.excerpt)'", field: "userName")
        }
        return user
    }

    private func role(_ text: String, in project: String) async throws -> Role {
        guard let role = Role(rawValue: text) else {
            throw TakumiError.invalid(
                "roles.\(project)", "'\(text.excerpt)' is not known; use viewer, member or administrator")
        }
        guard try await directory.hasProject(project) else {
            throw TakumiError.invalid("roles", "no project has the app key '\(project.excerpt)'")
        }
        return role
    }

    private func change(_ user: User, _ body: ChangeUser) async throws {
        var roles: [(String, Role?)] = []
        for (project, text) in body.roles ?? [:] {
            guard let text, !text.isEmpty else {
                roles.append((project, nil))
                continue
            }
            roles.append((project, try await role(text, in: project)))
        }
        try await directory.change(
            user, password: body.password, isAdministrator: body.isAdministrator,
            roles: Dictionary(uniqueKeysWithValues: roles))
    }
}

/// Lets only the tokens of who administers the server through.
private struct ServerTokensOnly: RouterMiddleware {
    func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        guard let principal = context.principal else {
            throw TakumiError(.unauthenticated, "no valid token; send one as X-EasyMaker-Token")
        }
        guard principal.isAdministrator else {
            throw TakumiError(.forbidden, "\(principal.user) does not administer this server")
        }
        return try await next(request, context)
    }
}
