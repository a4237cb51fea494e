import Crypto
import Foundation
import Resource
import Store
import Synchronization

/// Knows projects, users and tokens.
package final class Directory: Sendable {
    let store: Store
    private let cache = Mutex<[String: (found: TokenSpec, until: ContinuousClock.Instant)]>([:])
    private let known = Mutex<Set<String>>([])
    private let users = Mutex<[String: (found: UserSpec, name: String, until: ContinuousClock.Instant)]>([:])
    /// How long a token that was revoked, or a user who was changed, by another process may still work here.
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

    /// As `createProject`, but refuses a name that is taken.
    /// - Throws: `invalid` or `conflict` with the field `appKey`.
    package func createNewProject(appKey: String) async throws -> Project {
        guard appKey.wholeMatch(of: /[A-Za-z0-9_-]{1,50}/) != nil else {
            throw TakumiError.invalid(
                "appKey",
                appKey.isEmpty
                    ? "is required"
                    : "'\(appKey.excerpt)' may only have letters, digits, '-' and '_', at most 50")
        }
        guard try await project(appKey: appKey) == nil else {
            throw TakumiError(.conflict, "'\(appKey)' is taken; choose another app key", field: "appKey")
        }
        return try await createProject(appKey: appKey)
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

    /// What every token of the API begins with.
    package static let apiTokenPrefix = "tk_"

    /// - Returns: the secret, which is not kept anywhere.
    package func createToken(
        _ purpose: TokenSpec.Purpose, user: String, project: String?, role: Role, lifetime: TimeInterval? = nil,
        owner: String? = nil, label: String? = nil, session: String? = nil, isFromLink: Bool? = nil
    ) async throws -> (secret: String, expiresAt: Date?) {
        let prefix =
            TokenSpec.Purpose.forAPI.contains(purpose) ? Directory.apiTokenPrefix : "\(purpose.rawValue.prefix(1))_"
        let secret = prefix + Directory.random(bytes: 32)
        let expiresAt = lifetime.map { Date().addingTimeInterval($0) }
        let token = Token(
            metadata: Metadata(
                // A user's tokens are found by their owner.
                key: ResourceKey(.token, UUID().uuidString.lowercased()), project: owner ?? project ?? "",
                name: Directory.hash(secret), createdAt: Date()),
            spec: TokenSpec(
                purpose: purpose, user: user, project: project, role: role, expiresAt: expiresAt, owner: owner,
                label: label, session: session, isFromLink: isFromLink),
            status: ExistenceStatus())
        try await store.insert(token)
        return (secret, expiresAt)
    }

    /// - Returns: who a secret stands for; nil where it is unknown, expired, made for something else, or its user is gone.
    package func principal(of secret: String, purposes: Set<TokenSpec.Purpose>) async throws -> Principal? {
        guard let token = try await token(secret), purposes.contains(token.purpose) else { return nil }
        // A cookie of the other origin is worth as much as the session that it was made from.
        if let session = token.session, try await self.token(hash: session) == nil { return nil }
        guard let owner = token.owner else {
            // Sessions of an earlier version belong to nobody, so nothing could end them.
            guard token.purpose != .session else { return nil }
            return Principal(user: token.user, project: token.project, role: token.role)
        }
        guard let (user, name) = try await knownUser(owner) else { return nil }
        guard let project = token.project else {
            return Principal(
                user: name, project: nil, role: user.isAdministrator ? .administrator : .viewer, userID: owner,
                memberships: user.memberships, lacksPassword: user.password == nil)
        }
        let limit = user.isAdministrator ? .administrator : user.memberships[project]
        guard let limit else { return nil }
        return Principal(user: name, project: project, role: min(token.role, limit), userID: owner)
    }

    /// Trades a login link's secret for a session's. Works once.
    package func redeem(login secret: String) async throws -> String? {
        guard let token = try await redeemed(secret, .login) else { return nil }
        // Links of an earlier version belong to nobody in particular.
        var user = try await ensureAdministrator()
        if let owner = token.spec.owner {
            guard let known = try await self.user(id: owner) else { return nil }
            user = known
        }
        return try await createSession(for: user, isFromLink: true)
    }

    /// Who a login link lets in; nil where it is used up or has expired. Leaves it as it is.
    package func userName(ofLogin secret: String) async throws -> String? {
        guard let token = try await storedToken(secret), token.spec.purpose == .login,
            (token.spec.expiresAt ?? .distantFuture) > Date()
        else { return nil }
        return token.spec.user
    }

    package func isFromLink(session secret: String) async throws -> Bool {
        try await storedToken(secret)?.spec.isFromLink ?? false
    }

    /// A ticket for the origin of users' programs, made from a session. Good for a minute, once.
    package func createTicket(session secret: String) async throws -> String? {
        guard let session = try await storedToken(secret), session.spec.purpose == .session else { return nil }
        return try await createToken(
            .ticket, user: session.spec.user, project: nil, role: .viewer, lifetime: 60, owner: session.spec.owner,
            session: session.metadata.name
        ).secret
    }

    /// Trades a ticket for a cookie of that origin. It ends with its session, at the latest when the session would.
    package func redeem(ticket secret: String) async throws -> String? {
        guard let ticket = try await redeemed(secret, .ticket) else { return nil }
        return try await createToken(
            .apps, user: ticket.spec.user, project: nil, role: .viewer, lifetime: Directory.sessionLifetime,
            owner: ticket.spec.owner, session: ticket.spec.session
        ).secret
    }

    private func redeemed(_ secret: String, _ purpose: TokenSpec.Purpose) async throws -> Token? {
        guard let token = try await storedToken(secret), token.spec.purpose == purpose,
            (token.spec.expiresAt ?? .distantFuture) > Date()
        else { return nil }
        // Two browsers racing for one link cannot both get in: only one of them deletes it.
        return try await store.deleteIfPresent(token.key) ? token : nil
    }

    func storedToken(_ secret: String) async throws -> Token? { try await storedToken(hash: Directory.hash(secret)) }

    private func storedToken(hash: String) async throws -> Token? {
        var query = Query(.token, project: nil)
        query.names = [hash]
        return try await store.records(query).first?.decoded()
    }

    private func token(_ secret: String) async throws -> TokenSpec? { try await token(hash: Directory.hash(secret)) }

    private func token(hash: String) async throws -> TokenSpec? {
        let now = ContinuousClock.now
        if let cached = cache.withLock({ $0[hash] }), cached.until > now {
            return (cached.found.expiresAt ?? .distantFuture) > Date() ? cached.found : nil
        }
        guard let token = try await storedToken(hash: hash) else { return nil }
        guard (token.spec.expiresAt ?? .distantFuture) > Date() else {
            try await store.delete(token.key)
            return nil
        }
        cache.withLock { cache in
            if cache.count > 10_000 { cache.removeAll() }
            cache[hash] = (token.spec, now + trust)
        }
        return token.spec
    }

    /// Removes what nobody can use any more. Called at each start, and now and then.
    package func removeExpiredTokens() async throws {
        for record in try await store.records(Query(.token, project: nil)) {
            let token: Token = try record.decoded()
            if (token.spec.expiresAt ?? .distantFuture) <= Date() { try await store.delete(token.key) }
        }
    }

    func forget(hash: String) { cache.withLock { $0[hash] = nil } }

    private func knownUser(_ id: String) async throws -> (UserSpec, String)? {
        let now = ContinuousClock.now
        if let cached = users.withLock({ $0[id] }), cached.until > now { return (cached.found, cached.name) }
        guard let user = try await user(id: id) else { return nil }
        users.withLock { $0[id] = (user.spec, user.metadata.name, now + trust) }
        return (user.spec, user.metadata.name)
    }

    func forgetUsers() { users.withLock { $0 = [:] } }

    /// 32 hex digits, as OpenStack's ids are.
    package static func hex() -> String { UUID().uuidString.lowercased().replacing("-", with: "") }

    static func hash(_ secret: String) -> String {
        SHA256.hash(data: Data(secret.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    package static func random(bytes: Int) -> String {
        let data = SymmetricKey(size: SymmetricKeySize(bitCount: bytes * 8)).withUnsafeBytes { Data($0) }
        return data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
