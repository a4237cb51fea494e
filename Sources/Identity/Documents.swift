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
    package enum Purpose: String, Codable, Sendable {
        /// For the API: the SDK, the command line, scripts.
        case api
        /// In a link: worth one session, once.
        case login
        /// A browser's cookie.
        case session
        /// For the object store only.
        case storage
    }

    package var purpose: Purpose
    package var user: String
    /// nil: every project.
    package var project: String?
    package var role: Role
    package var expiresAt: Date?
}

package typealias Token = Resource<TokenSpec, ExistenceStatus>

extension ResourceKind {
    package static let project = ResourceKind("project")
    package static let token = ResourceKind("token")
}
