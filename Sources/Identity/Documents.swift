import Foundation
import Resource

/// Projects, users and tokens have no life of their own: they are there, or they are not.
package enum Existence: String, Phase {
    case active = "ACTIVE"

    package var next: Set<Existence> { [] }
    package var isSettled: Bool { true }
    package var isFailure: Bool { false }
}

package struct ExistenceStatus: ResourceStatus {
    package var phase = Existence.active
    package var cause: String?

    package init() {}
}

/// A project. Its name is the app key.
package struct ProjectSpec: ResourceSpec {
    /// The tenant that owns the project's object storage account, 32 hex digits.
    package var tenantID: String
    /// Who the service is towards object storage when it works for this project (12.1). One per project: a container that
    /// lets one project's service account in does not let another's.
    package var serviceUserID: String
}

package typealias Project = Resource<ProjectSpec, ExistenceStatus>

/// A secret that stands for someone. Only its SHA-256 is kept, as the resource's name.
package struct TokenSpec: ResourceSpec {
    package enum Purpose: String, Codable, Sendable, CaseIterable {
        /// For the API: the SDK, the command line, scripts.
        case api
        /// For the API as well, in a notebook's environment: whatever runs there reads it, so it does not open programs.
        case notebook
        /// In a link: worth one session, once.
        case login
        /// A browser's cookie at the console.
        case session
        /// In a redirect to the origin of users' programs: worth one cookie there, once.
        case ticket
        /// A browser's cookie at that origin. Ends with the session that it was made from.
        case apps
        /// For the object store only.
        case storage

        /// Of the tokens that the API takes.
        package static let forAPI: Set<Purpose> = [.api, .notebook]
    }

    package var purpose: Purpose
    package var user: String
    /// nil: every project.
    package var project: String?
    package var role: Role
    package var expiresAt: Date?
    /// The id of the user that it belongs to: what the user may not do (any longer), it may not do either.
    package var owner: String?
    /// What a user calls a token of theirs.
    package var label: String?
    /// The hash of the session's secret that a ticket, or a cookie of the apps' origin, was made from.
    package var session: String?
    /// Of a session: it came from a one-time link, so its user may set a password without knowing the old one.
    package var isFromLink: Bool?
}

package typealias Token = Resource<TokenSpec, ExistenceStatus>

/// A person who logs in to the console. Its name is the user name.
package struct UserSpec: ResourceSpec {
    /// Of the whole server: every project, all users.
    package var isAdministrator: Bool
    /// nil until one is set: until then only a one-time link lets the user in.
    package var password: PasswordHash?
    /// Projects (app keys) and the role in each.
    package var memberships: [String: Role]

    package init(isAdministrator: Bool, password: PasswordHash? = nil, memberships: [String: Role] = [:]) {
        self.isAdministrator = isAdministrator
        self.password = password
        self.memberships = memberships
    }
}

package typealias User = Resource<UserSpec, ExistenceStatus>

extension ResourceKind {
    package static let user = ResourceKind("user")
    package static let project = ResourceKind("project")
    package static let token = ResourceKind("token")
}
