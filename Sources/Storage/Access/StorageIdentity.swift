/// Who asks: a user with a token that is good for one tenant, or the service account.
package struct StorageIdentity: Sendable, Equatable, Codable {
    package let tenantID: String
    package let userID: String
    package let userName: String
    /// False for the service account, which owns no account and may do only what a container's policy says (12.1).
    package let isAccountUser: Bool

    package init(tenantID: String, userID: String, userName: String, isAccountUser: Bool = true) {
        self.tenantID = tenantID
        self.userID = userID
        self.userName = userName
        self.isAccountUser = isAccountUser
    }

    /// True where the account `AUTH_{tenant}` is the user's own.
    package func isOwner(of tenant: String) -> Bool { isAccountUser && tenant == tenantID }

    /// What a user adds to a container's access policy to let this identity in: `tenant:user`.
    package var grant: String { "\(tenantID):\(userID)" }
}
