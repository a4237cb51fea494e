import Foundation
import Identity
import Resource
import Storage

/// The object store's users are the projects' tokens: a password is an API token, whatever the user name.
package struct ProjectAuthority: StorageAuthority {
    /// Seconds that a storage token is good for.
    static let lifetime: TimeInterval = 12 * 3600

    private let directory: Directory

    package init(directory: Directory) { self.directory = directory }

    package func identity(forToken token: String) async throws -> StorageIdentity? {
        guard
            let principal = try await directory.principal(
                of: token, purposes: TokenSpec.Purpose.forAPI.union([.storage])),
            let appKey = principal.project, let project = try await directory.project(appKey: appKey),
            principal.role >= .member
        else { return nil }
        return StorageIdentity(tenantID: project.spec.tenantID, userID: principal.user, userName: principal.user)
    }

    package func issueToken(tenant: String, userName: String, password: String) async throws -> IssuedToken? {
        guard let principal = try await directory.principal(of: password, purposes: TokenSpec.Purpose.forAPI) else {
            return nil
        }
        let named = tenant.isEmpty ? principal.project : nil
        var project: Project?
        if let appKey = named { project = try await directory.project(appKey: appKey) }
        if project == nil { project = try await directory.project(tenantID: tenant) }
        if project == nil { project = try await directory.project(appKey: tenant) }
        guard let project, principal.mayWrite(project: project.metadata.name) else { return nil }
        return try await issue(for: project, principal)
    }

    /// A token for a project's own account.
    func issue(for project: Project, _ principal: Principal) async throws -> IssuedToken {
        let user = principal.user
        // With its owner: it ends with what the owner may do.
        let token = try await directory.createToken(
            .storage, user: user, project: project.metadata.name, role: .member, lifetime: ProjectAuthority.lifetime,
            owner: principal.userID)
        return IssuedToken(
            token: token.secret, expires: token.expiresAt ?? .distantFuture, tenantID: project.spec.tenantID,
            tenantName: project.metadata.name, userID: user, userName: user)
    }
}
