/// What may be done with a container and its objects.
package enum StorageAction: Sendable {
    case read, write, list
}

/// The access policy of a container: who besides the account's own users may read, list and write.
package struct AccessPolicy: Sendable, Equatable {
    /// `tenant:user`, where either may be `*`.
    package struct Grant: Sendable, Equatable {
        package let tenant: String
        package let user: String

        func allows(_ identity: StorageIdentity) -> Bool {
            (tenant == "*" || tenant == identity.tenantID)
                && (user == "*" || user == identity.userID || user == identity.userName)
        }
    }

    package let readers: [Grant]
    package let writers: [Grant]
    /// `.r:*`: anyone may read objects, without a token.
    package let isPublic: Bool
    /// `.rlistings`: whoever may read as one of the public may also list.
    package let allowsPublicListing: Bool
    /// As the owner gave them, normalised, for the headers of replies.
    package let readHeader: String
    package let writeHeader: String

    package static let none = AccessPolicy(read: ACL(), write: ACL())

    init(read: ACL, write: ACL) {
        readers = read.grants
        writers = write.grants
        isPublic = read.isPublic
        allowsPublicListing = read.allowsListing
        readHeader = read.text
        writeHeader = write.text
    }

    /// - Parameter tenant: the account that the container belongs to.
    package func allows(_ identity: StorageIdentity?, _ action: StorageAction, in tenant: String) -> Bool {
        if let identity {
            if identity.isOwner(of: tenant) { return true }
            let grants = action == .write ? writers : readers
            if grants.contains(where: { $0.allows(identity) }) { return true }
        }
        switch action {
        case .read: return isPublic
        case .list: return isPublic && allowsPublicListing
        case .write: return false
        }
    }
}
