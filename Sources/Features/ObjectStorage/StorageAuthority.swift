import Storage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Who the object storage believes. Implemented by whoever knows the users.
package protocol StorageAuthority: Sendable {
    /// - Returns: nil for a token that is unknown or has expired.
    func identity(forToken token: String) async throws -> StorageIdentity?

    /// Logs a user in.
    ///
    /// - Parameter tenant: the tenant's id or name; empty where the client names none.
    /// - Returns: nil where the user, the password or the tenant is wrong.
    func issueToken(tenant: String, userName: String, password: String) async throws -> IssuedToken?
}

/// A token for one tenant's account.
package struct IssuedToken: Sendable, Equatable {
    package var token: String
    package var expires: Date
    package var tenantID: String
    package var tenantName: String
    package var userID: String
    package var userName: String

    package init(
        token: String, expires: Date, tenantID: String, tenantName: String, userID: String, userName: String
    ) {
        self.token = token
        self.expires = expires
        self.tenantID = tenantID
        self.tenantName = tenantName
        self.userID = userID
        self.userName = userName
    }
}
