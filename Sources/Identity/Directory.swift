import Crypto
import Foundation
import Resource
import Store
import Synchronization

/// Knows projects and tokens.
package final class Directory: Sendable {
    private let store: Store
    private let cache = Mutex<[String: (found: TokenSpec, until: ContinuousClock.Instant)]>([:])
    private let known = Mutex<Set<String>>([])
    /// How long a token that was revoked by another process may still work here.
    private let trust = Duration.seconds(5)

    package init(store: Store) { self.store = store }

    // MARK: - Projects

    /// The project of an app key; created where it is not there yet.
    @discardableResult
    package func createProject(appKey: String) async throws -> Project {
        if let project = try await project(appKey: appKey) { return project }
        let project = Project(
            metadata: Metadata(
                key: ResourceKey(.project, UUID().uuidString.lowercased()), project: appKey, name: appKey,
                createdAt: Date()),
            spec: ProjectSpec(tenantID: Directory.hex(), serviceUserID: Directory.hex()),
            status: ExistenceStatus())
        try await store.insert(project, uniqueName: "project")
        return project
    }

    package func project(appKey: String) async throws -> Project? {
        var query = Query(.project, project: appKey)
        query.names = [appKey]
        return try await store.records(query).first?.decoded()
    }

    /// Whether there is a project of that app key. Asked by every request, so what was found once is remembered: projects
    /// are never removed.
    package func hasProject(_ appKey: String) async throws -> Bool {
        if known.withLock({ $0.contains(appKey) }) { return true }
        guard try await project(appKey: appKey) != nil else { return false }
        known.withLock { _ = $0.insert(appKey) }
        return true
    }

    package func projects() async throws -> [Project] {
        try await store.records(Query(.project, project: nil)).map { try $0.decoded() }
    }

    package func project(tenantID: String) async throws -> Project? {
        try await projects().first { $0.spec.tenantID == tenantID }
    }

    // MARK: - Tokens

    /// - Returns: the secret, which is not kept anywhere.
    package func createToken(
        _ purpose: TokenSpec.Purpose, user: String, project: String?, role: Role, lifetime: TimeInterval? = nil
    ) async throws -> (secret: String, expiresAt: Date?) {
        let prefix = purpose == .api ? "tk_" : "\(purpose.rawValue.prefix(1))_"
        let secret = prefix + Directory.random(bytes: 32)
        let expiresAt = lifetime.map { Date().addingTimeInterval($0) }
        let token = Token(
            metadata: Metadata(
                key: ResourceKey(.token, UUID().uuidString.lowercased()), project: project ?? "",
                name: Directory.hash(secret), createdAt: Date()),
            spec: TokenSpec(purpose: purpose, user: user, project: project, role: role, expiresAt: expiresAt),
            status: ExistenceStatus())
        try await store.insert(token)
        return (secret, expiresAt)
    }

    /// - Returns: who a secret stands for; nil where it is unknown, expired, or made for something else.
    package func principal(of secret: String, purposes: Set<TokenSpec.Purpose>) async throws -> Principal? {
        guard let token = try await token(secret), purposes.contains(token.purpose) else { return nil }
        return Principal(user: token.user, project: token.project, role: token.role)
    }

    /// Trades a login link's secret for a session's. Works once.
    package func redeem(login secret: String) async throws -> String? {
        var query = Query(.token, project: nil)
        query.names = [Directory.hash(secret)]
        guard let record = try await store.records(query).first else { return nil }
        let token: Token = try record.decoded()
        guard token.spec.purpose == .login, (token.spec.expiresAt ?? .distantFuture) > Date() else { return nil }
        // Deleting comes first, so that two browsers racing for one link cannot both get in.
        try await store.delete(record.key)
        return try await createToken(
            .session, user: token.spec.user, project: token.spec.project, role: token.spec.role,
            lifetime: 7 * 24 * 3600
        ).secret
    }

    private func token(_ secret: String) async throws -> TokenSpec? {
        let hash = Directory.hash(secret)
        let now = ContinuousClock.now
        if let cached = cache.withLock({ $0[hash] }), cached.until > now {
            return (cached.found.expiresAt ?? .distantFuture) > Date() ? cached.found : nil
        }
        var query = Query(.token, project: nil)
        query.names = [hash]
        guard let record = try await store.records(query).first else { return nil }
        let token: Token = try record.decoded()
        guard (token.spec.expiresAt ?? .distantFuture) > Date() else {
            try await store.delete(record.key)
            return nil
        }
        cache.withLock { cache in
            if cache.count > 10_000 { cache.removeAll() }
            cache[hash] = (token.spec, now + trust)
        }
        return token.spec
    }

    /// 32 hex digits, as OpenStack's ids are.
    package static func hex() -> String { UUID().uuidString.lowercased().replacing("-", with: "") }

    static func hash(_ secret: String) -> String {
        SHA256.hash(data: Data(secret.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    static func random(bytes: Int) -> String {
        let data = SymmetricKey(size: SymmetricKeySize(bitCount: bytes * 8)).withUnsafeBytes { Data($0) }
        return data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
