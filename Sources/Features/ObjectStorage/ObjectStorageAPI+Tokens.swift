import HTTPTypes
import Hummingbird
import Resource
import Storage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ObjectStorageAPI {
    func logIn(_ request: Request) async -> Response {
        var response: Response
        do {
            switch (request.method, request.uri.path.hasSuffix("/tokens"), request.uri.path.hasPrefix("/auth/")) {
            case (.post, true, _): response = try await keystone(request)
            case (.get, _, true): response = try await tempauth(request)
            // What clients look for to learn that this is Keystone v2.
            case (.get, false, false): response = try Reply.json(KeystoneVersion(url: publicURL()))
            default: response = Reply.text(.methodNotAllowed, "not for logging in\n")
            }
        } catch {
            response = Reply.failure(error, path: request.uri.path)
            if request.uri.path.hasPrefix("/v2.0"), let error = error as? TakumiError {
                let status = response.status
                let body = KeystoneError(code: status.code, title: status.reasonPhrase, message: error.message)
                if let json = try? Reply.json(["error": body], status: status) { response = json }
            }
        }
        Reply.stamp(&response)
        return response
    }

    private struct KeystoneRequest: Decodable {
        struct Auth: Decodable {
            struct Credentials: Decodable {
                var username: String
                var password: String
            }
            var tenantId: String?
            var tenantName: String?
            var passwordCredentials: Credentials?
        }
        var auth: Auth
    }

    private struct KeystoneError: Encodable {
        var code: Int
        var title: String
        var message: String
    }

    private func keystone(_ request: Request) async throws -> Response {
        guard let body = try? await request.body.collect(upTo: 64 << 10) else {
            throw TakumiError(.tooLarge, "a login has at most 64 KiB")
        }
        let decoded = try? JSONDecoder().decode(KeystoneRequest.self, from: Data(body.readableBytesView))
        guard let auth = decoded?.auth, let credentials = auth.passwordCredentials else {
            throw TakumiError.invalid(
                "auth",
                "send {\"auth\": {\"tenantId\": …, \"passwordCredentials\": {\"username\": …, \"password\": …}}}")
        }
        let issued = try await authority.issueToken(
            tenant: auth.tenantId ?? auth.tenantName ?? "", userName: credentials.username,
            password: credentials.password)
        guard let issued else {
            throw TakumiError(.unauthenticated, "the user, the password or the tenant is wrong")
        }
        return try Reply.json(KeystoneAccess(issued, issuedAt: Timestamp.now(), storageURL: storageURL(issued)))
    }

    private func tempauth(_ request: Request) async throws -> Response {
        let fields = request.headers
        guard let user = fields["X-Auth-User"] ?? fields["X-Storage-User"],
            let key = fields["X-Auth-Key"] ?? fields["X-Storage-Pass"]
        else { throw TakumiError(.unauthenticated, "give X-Auth-User: tenant:user and X-Auth-Key") }
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let issued = try await authority.issueToken(
            tenant: parts.count == 2 ? String(parts[0]) : "", userName: String(parts.last ?? ""), password: key)
        guard let issued else {
            throw TakumiError(.unauthenticated, "the user, the key or the tenant is wrong")
        }
        let seconds = max(0, Int(issued.expires.timeIntervalSince1970) - Int(Timestamp.now().wholeSeconds))
        return Reply.empty(
            .ok,
            [
                "X-Storage-Url": storageURL(issued), "X-Auth-Token": issued.token, "X-Storage-Token": issued.token,
                "X-Auth-Token-Expires": String(seconds),
            ])
    }

    private func storageURL(_ issued: IssuedToken) -> String { "\(publicURL())/v1/AUTH_\(issued.tenantID)" }
}
