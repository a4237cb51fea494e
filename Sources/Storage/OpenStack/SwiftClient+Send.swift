import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Resource

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension SwiftClient {
    /// Sends a request with a token. `make` is called for every attempt, since a streamed body can be sent only once.
    ///
    /// - Returns: a reply with a status below 400.
    func send(
        _ what: String, repeatable: Bool = true, _ make: () throws -> HTTPClientRequest
    ) async throws -> HTTPClientResponse {
        var hasRenewed = false
        var attempt = 0
        while true {
            var failure: TakumiError
            do {
                var request = try make()
                request.headers.replaceOrAdd(name: "X-Auth-Token", value: try await currentToken())
                let reply = try await http.execute(request, deadline: .distantFuture)
                if reply.status.code < 400 { return reply }
                failure = try await Self.failure(reply, what: what, host: server.host)
                if reply.status == .unauthorized && !hasRenewed {
                    hasRenewed = true
                    token.withLock { $0 = nil }
                    continue
                }
                guard Self.isPassing(reply.status) else { throw failure }
            } catch let error as TakumiError {
                throw error
            } catch let error as CancellationError {
                throw error
            } catch {
                try Task.checkCancellation()
                failure = TakumiError(.unavailable, "\(what): '\(server.host)' cannot be reached (\(error))")
            }
            guard repeatable, attempt < pauses.count else { throw failure }
            try await Task.sleep(for: pauses[attempt])
            attempt += 1
        }
    }

    private static func isPassing(_ status: HTTPResponseStatus) -> Bool {
        status == .requestTimeout || status == .tooManyRequests
            || (status.code >= 500 && status != .insufficientStorage && status != .notImplemented)
    }

    private static func failure(_ reply: HTTPClientResponse, what: String, host: String) async throws -> TakumiError {
        // Read, so that the connection can be used again; only so much, since nobody reads it.
        _ = try? await reply.body.collect(upTo: 64 << 10)
        switch reply.status {
        case .notFound: return TakumiError(.notFound, "\(what): not found on '\(host)'")
        case .unauthorized:
            return TakumiError(.forbidden, "\(what): '\(host)' does not accept the service account's token")
        case .forbidden: return TakumiError(.forbidden, "\(what): '\(host)' does not permit it to the service account")
        case .insufficientStorage: return TakumiError(.unavailable, "\(what): \(SystemError.noSpace) on '\(host)'")
        case .payloadTooLarge: return TakumiError(.tooLarge, "\(what): too large for '\(host)'")
        default:
            return TakumiError(.failed, "\(what): '\(host)' answered \(reply.status.code) \(reply.status.reasonPhrase)")
        }
    }

    private func currentToken() async throws -> String {
        if let known = token.withLock({ $0 }) { return known }
        let fresh = server.authKind == .keystone2 ? try await keystoneToken() : try await tempauthToken()
        token.withLock { $0 = fresh }
        return fresh
    }

    private struct KeystoneRequest: Encodable {
        struct Auth: Encodable {
            struct Credentials: Encodable {
                var username: String
                var password: String
            }
            /// NHN's and OpenStack's servers differ in which of the two they want; both ignore what they do not know.
            var tenantId: String?
            var tenantName: String?
            var passwordCredentials: Credentials
        }
        var auth: Auth
    }

    private struct KeystoneReply: Decodable {
        struct Access: Decodable {
            struct Token: Decodable { var id: String }
            var token: Token
        }
        var access: Access
    }

    private func keystoneToken() async throws -> String {
        let isID = server.tenant.count == 32 && server.tenant.allSatisfy(\.isHexDigit)
        let body = KeystoneRequest(
            auth: KeystoneRequest.Auth(
                tenantId: isID ? server.tenant : nil, tenantName: isID ? nil : server.tenant,
                passwordCredentials: KeystoneRequest.Auth.Credentials(
                    username: server.user, password: server.password)))
        var request = HTTPClientRequest(
            url: server.authURL.hasSuffix("/tokens") ? server.authURL : server.authURL + "/tokens")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
        let reply = try await logIn(request)
        let content = try await reply.body.collect(upTo: 1 << 20)
        guard let access = try? JSONDecoder().decode(KeystoneReply.self, from: Data(content.readableBytesView)) else {
            throw TakumiError(.failed, "'\(server.authURL.excerpt)' did not answer like Keystone v2")
        }
        return access.access.token.id
    }

    private func tempauthToken() async throws -> String {
        var request = HTTPClientRequest(url: server.authURL)
        request.headers.add(name: "X-Auth-User", value: "\(server.tenant):\(server.user)")
        request.headers.add(name: "X-Auth-Key", value: server.password)
        let reply = try await logIn(request)
        guard let token = reply.headers.first(name: "X-Auth-Token") else {
            throw TakumiError(.failed, "'\(server.authURL.excerpt)' gave no X-Auth-Token")
        }
        return token
    }

    private func logIn(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        let reply = try await http.execute(request, timeout: .seconds(30))
        if reply.status.code < 300 { return reply }
        _ = try? await reply.body.collect(upTo: 64 << 10)
        if reply.status.code >= 500 {
            // Thrown as something else than TakumiError, so that `send` tries again.
            throw HTTPClientError.remoteConnectionClosed
        }
        // Not `.forbidden`, which stands for what a container's policy says: this is the server's own configuration.
        throw TakumiError(
            .unavailable,
            "'\(server.authURL.excerpt)' refused user '\(server.user.excerpt)' (\(reply.status.code)); check the "
                + "storage configuration")
    }
}
