import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Resource
import Testing

@testable import ObjectStorageFeature
@testable import Storage

/// Knows two tenants, a service account, and tokens that are named after their users.
struct FakeAuthority: StorageAuthority {
    static let users = [
        "alice": StorageIdentity(tenantID: "t", userID: "u1", userName: "alice"),
        "bob": StorageIdentity(tenantID: "other", userID: "u2", userName: "bob"),
        "service": StorageIdentity(tenantID: "t", userID: "api", userName: "service", isAccountUser: false),
    ]

    func identity(forToken token: String) async throws -> StorageIdentity? { Self.users[token] }

    func issueToken(tenant: String, userName: String, password: String) async throws -> IssuedToken? {
        guard password == "secret", let user = Self.users[userName], [user.tenantID, "project"].contains(tenant) else {
            return nil
        }
        return IssuedToken(
            token: userName, expires: Date(timeIntervalSince1970: 4_102_444_800), tenantID: user.tenantID,
            tenantName: "project", userID: user.userID, userName: userName)
    }
}

/// One request to an application under test.
struct StorageClient {
    let client: any TestClientProtocol

    @discardableResult
    func send(
        _ method: String, _ path: String, as user: String? = "alice", _ headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> TestResponse {
        var fields = HTTPFields()
        if let user { fields["X-Auth-Token"] = user }
        for (name, value) in headers { fields[name] = value }
        if ["PUT", "POST"].contains(method) && body == nil { fields[.contentLength] = "0" }
        let method = try #require(HTTPRequest.Method(method))
        return try await client.execute(
            uri: path, method: method, headers: fields, body: body.map { ByteBuffer(string: $0) })
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }
    var code: Int { status.code }
    subscript(_ header: String) -> String? { headers[header] }
}
