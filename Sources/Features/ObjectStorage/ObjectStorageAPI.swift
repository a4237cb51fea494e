import HTTPTypes
import Hummingbird
import Resource
import Storage

/// The OpenStack Swift API over the embedded store, and the two ways by which Swift's clients log in.
///
/// Routes: `/v1/AUTH_{tenant}[/{container}[/{object}]]`, `/info`, `POST /v2.0/tokens` (Keystone v2), `GET /auth/v1.0`
/// (tempauth). They authenticate by `X-Auth-Token` themselves; no other middleware may demand a login before them.
package struct ObjectStorageAPI: Sendable {
    let store: DiskStore
    let authority: any StorageAuthority
    /// `https://host:port`, without a slash at the end.
    let publicURL: @Sendable () -> String

    package init(store: DiskStore, authority: any StorageAuthority, publicURL: @escaping @Sendable () -> String) {
        self.store = store
        self.authority = authority
        self.publicURL = publicURL
    }

    package func addRoutes(to router: some RouterMethods) {
        let methods: [HTTPRequest.Method] =
            [.get, .head, .put, .post, .delete, .options] + [HTTPRequest.Method("COPY")].compactMap(\.self)
        for path: RouterPath in ["/v1/AUTH_{tenant}", "/v1/AUTH_{tenant}/**"] {
            for method in methods {
                router.on(path, method: method) { request, _ in await respond(to: request) }
            }
        }
        router.on("/info", method: .get) { _, _ in try Reply.json(Capabilities()) }
        for path: RouterPath in ["/v2.0", "/v2.0/tokens", "/auth/v1.0"] {
            for method: HTTPRequest.Method in [.get, .post] {
                router.on(path, method: method) { request, _ in await logIn(request) }
            }
        }
    }

    /// Answers every request; errors become Swift's statuses with a line of text.
    private func respond(to request: Request) async -> Response {
        var response: Response
        do {
            let call = try SwiftCall(request)
            response = try await answer(call, identity: try await identity(of: request))
        } catch {
            response = Reply.failure(error, path: request.uri.path)
        }
        Reply.stamp(&response)
        if request.method == .head { response = response.createHeadResponse() }
        return response
    }

    /// - Returns: nil for a request without a token, which public containers may allow.
    private func identity(of request: Request) async throws -> StorageIdentity? {
        guard let token = request.headers["X-Auth-Token"] ?? request.headers["X-Storage-Token"] else { return nil }
        guard let identity = try await authority.identity(forToken: token) else {
            throw TakumiError(.unauthenticated, "the token is unknown or has expired")
        }
        return identity
    }

    private func answer(_ call: SwiftCall, identity: StorageIdentity?) async throws -> Response {
        if call.request.method == .options {
            return Reply.empty(.ok, ["Allow": "HEAD, GET, PUT, POST, COPY, OPTIONS, DELETE"])
        }
        switch (call.container, call.object) {
        case (let container?, let object?):
            let path = ContainerPath(tenant: call.tenant, container: container).object(object)
            return try await answerObject(call, path, identity)
        case (let container?, nil):
            let path = ContainerPath(tenant: call.tenant, container: container)
            return try await answerContainer(call, path, identity)
        default: return try await answerAccount(call, identity)
        }
    }

    /// Throws unless the identity may do this with the container.
    func authorise(_ identity: StorageIdentity?, _ action: StorageAction, _ path: ContainerPath) async throws {
        if let identity, identity.isOwner(of: path.tenant) { return }
        // Whether a foreign container exists is not told.
        if try await store.policy(path)?.allows(identity, action, in: path.tenant) == true { return }
        throw Self.refusal(identity)
    }

    /// Throws unless the account is the identity's own.
    func authoriseOwner(_ identity: StorageIdentity?, _ tenant: String) throws {
        guard let identity, identity.isOwner(of: tenant) else { throw Self.refusal(identity) }
    }

    private static func refusal(_ identity: StorageIdentity?) -> TakumiError {
        identity == nil
            ? TakumiError(.unauthenticated, "give a token as X-Auth-Token")
            : TakumiError(.forbidden, "the access policy does not allow it; its owner can add your tenant:user to it")
    }
}
