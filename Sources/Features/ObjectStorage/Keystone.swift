import Storage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Keystone v2's answer to a login. Only what clients read; the names are Keystone's.
struct KeystoneAccess: Encodable {
    struct Access: Encodable {
        var token: Token
        var serviceCatalog: [Service]
        var user: User
    }
    struct Token: Encodable {
        var id: String
        var issuedAt: String
        var expires: String
        var tenant: Tenant

        enum CodingKeys: String, CodingKey {
            case id, expires, tenant
            case issuedAt = "issued_at"
        }
    }
    struct Tenant: Encodable {
        var id: String
        var name: String
        var enabled = true
    }
    struct Service: Encodable {
        var type = "object-store"
        var name = "swift"
        var endpoints: [Endpoint]
    }
    struct Endpoint: Encodable {
        var id: String
        var region = "local"
        var tenantId: String
        var publicURL: String
        var internalURL: String
        var adminURL: String
    }
    struct User: Encodable {
        var id: String
        var name: String
        var username: String
        var roles = [["name": "member"]]
    }

    var access: Access

    init(_ issued: IssuedToken, issuedAt: Timestamp, storageURL: String) {
        access = Access(
            token: Token(
                id: issued.token, issuedAt: Self.time(issuedAt.wholeSeconds),
                expires: Self.time(Int64(issued.expires.timeIntervalSince1970)),
                tenant: Tenant(id: issued.tenantID, name: issued.tenantName)),
            serviceCatalog: [
                Service(endpoints: [
                    Endpoint(
                        id: "takumi", tenantId: issued.tenantID, publicURL: storageURL, internalURL: storageURL,
                        adminURL: storageURL)
                ])
            ],
            user: User(id: issued.userID, name: issued.userName, username: issued.userName))
    }

    /// `2026-01-31T00:00:00Z`, the one form that clients parse.
    private static func time(_ seconds: Int64) -> String {
        Timestamp(seconds: seconds).iso8601.prefix(while: { $0 != "." }) + "Z"
    }
}

/// Keystone's page about its version.
struct KeystoneVersion: Encodable {
    struct Version: Encodable {
        var id = "v2.0"
        var status = "stable"
        var updated = "2014-04-17T00:00:00Z"
        var links: [[String: String]]
    }

    var version: Version

    init(url: String) { version = Version(links: [["rel": "self", "href": "\(url)/v2.0/"]]) }
}
