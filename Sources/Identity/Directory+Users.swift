import Foundation
import Resource
import Store

extension Directory {
    package func user(id: String) async throws -> User? {
        try await store.resource(ResourceKey(.user, id))
    }

    package func user(name: String) async throws -> User? {
        var query = Query(.user, project: "")
        query.names = [name]
        return try await store.records(query).first?.decoded()
    }

    /// By name.
    package func users() async throws -> [User] {
        try await store.records(Query(.user, project: "")).map { try $0.decoded() as User }
            .sorted { $0.metadata.name < $1.metadata.name }
    }

    /// - Parameter password: nil: the first log in is by a one-time link.
    /// - Throws: `invalid` with the field `userName` or `password`; `conflict` where the name is taken.
    @discardableResult
    package func createUser(
        name: String, password: String? = nil, isAdministrator: Bool = false, memberships: [String: Role] = [:]
    ) async throws -> User {
        var validator = Validator()
        if name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._@-]{0,49}/) == nil {
            validator.refuse(
                "userName",
                name.isEmpty
                    ? "is required"
                    : "'\(name.excerpt)' may only have letters, digits, '.', '_', '@' and '-', the first a letter or digit, at most 50"
            )
        }
        if let password { Directory.validate(password, user: name, &validator) }
        try validator.check()
        let user = User(
            metadata: Metadata(
                key: ResourceKey(.user, UUID().uuidString.lowercased()), project: "", name: name, createdAt: Date()),
            spec: UserSpec(
                isAdministrator: isAdministrator, password: try await password.asyncMap(PasswordHash.make),
                memberships: memberships),
            status: ExistenceStatus())
        try await store.insert(user, uniqueName: "userName")
        return user
    }

    /// Changes what is not nil, all of it or nothing.
    ///
    /// A new password ends the user's sessions.
    /// - Parameters:
    ///   - roles: by app key; a role of nil takes the user out of the project.
    ///   - session: the secret of the session that stays.
    /// - Throws: `invalid` for a password or a project; `conflict` where nobody would administer the server.
    package func change(
        _ user: User, password: String? = nil, isAdministrator: Bool? = nil, roles: [String: Role?] = [:],
        keeping session: String? = nil
    ) async throws {
        for project in roles.keys where try await !hasProject(project) {
            throw TakumiError(.invalid, "no project has the app key '\(project.excerpt)'", field: "roles")
        }
        if isAdministrator == false { try await checkAnotherAdministrator(than: user.id) }
        var hash: PasswordHash?
        if let password {
            var validator = Validator()
            Directory.validate(password, user: user.metadata.name, &validator)
            try validator.check()
            hash = try await PasswordHash.make(password)
        }
        let made = hash
        try await change(user.id) { spec in
            if let made { spec.password = made }
            if let isAdministrator { spec.isAdministrator = isAdministrator }
            for (project, role) in roles { spec.memberships[project] = role }
        }
        guard password != nil else { return }
        try await endSessions(of: user.id, keeping: session)
        // A link has done what it was for: from now on the password must be known.
        if let session, let token = try await storedToken(session), token.spec.isFromLink != nil {
            try await store.updateSpec(token.key, of: Token.self) { $0.isFromLink = nil }
            forget(hash: token.metadata.name)
        }
    }

    /// Where a principal may go, by name, with the role there.
    package func projects(of principal: Principal) async throws -> [(name: String, role: Role)] {
        guard principal.isAdministrator else {
            return principal.memberships.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
        }
        return try await projects().map { ($0.metadata.name, .administrator) }.sorted { $0.0 < $1.0 }
    }

    /// The user, the user's sessions and tokens.
    package func deleteUser(_ userID: String) async throws {
        try await checkAnotherAdministrator(than: userID)
        for token in try await tokens(of: userID, purposes: Set(TokenSpec.Purpose.allCases)) {
            try await revoke(token)
        }
        try await store.delete(ResourceKey(.user, userID))
        forgetUsers()
    }

    /// Makes `admin` where there is nobody at all.
    /// - Returns: somebody who administers the server.
    @discardableResult
    package func ensureAdministrator() async throws -> User {
        let users = try await users()
        if let known = users.first(where: { $0.spec.isAdministrator && $0.metadata.name == "admin" })
            ?? users.first(where: \.spec.isAdministrator)
        {
            return known
        }
        do { return try await createUser(name: "admin", isAdministrator: true) } catch let error as TakumiError
            where error.code == .conflict
        {
            // Another process of the same home was faster, or somebody else has that name.
            guard let user = try await user(name: "admin") else { throw error }
            if !user.spec.isAdministrator { try await change(user, isAdministrator: true) }
            return user
        }
    }

    // MARK: - Log in

    /// - Returns: the secret of a new session; nil for a wrong name or password, which are not told apart.
    package func logIn(name: String, password: String) async throws -> String? {
        guard let user = try await user(name: name), let hash = user.spec.password,
            password.count <= PasswordHash.length.upperBound
        else {
            try await PasswordHash.waste(String(password.prefix(PasswordHash.length.upperBound)))
            return nil
        }
        guard try await hash.matches(password) else { return nil }
        let session = try await createSession(for: user)
        // A new password ends the sessions that it finds. One that was made just then, from the old one, is ended here.
        guard try await self.user(id: user.id)?.spec.password == hash else {
            try await logOut(session: session)
            return nil
        }
        return session
    }

    func createSession(for user: User, isFromLink: Bool? = nil) async throws -> String {
        try await createToken(
            .session, user: user.metadata.name, project: nil, role: .viewer, lifetime: Directory.sessionLifetime,
            owner: user.id, isFromLink: isFromLink
        ).secret
    }

    /// Seconds.
    package static let sessionLifetime: TimeInterval = 7 * 24 * 3600

    package func logOut(session secret: String) async throws {
        guard let token = try await storedToken(secret), token.spec.purpose == .session else { return }
        try await end(token)
    }

    // MARK: - Tokens of a user

    /// Newest first.
    package func tokens(of userID: String, purposes: Set<TokenSpec.Purpose> = [.api]) async throws -> [Token] {
        try await store.records(Query(.token, project: userID)).map { try $0.decoded() as Token }
            .filter { $0.spec.owner == userID && purposes.contains($0.spec.purpose) }
    }

    /// Of every user and of nobody, newest first.
    package func apiTokens() async throws -> [Token] {
        try await store.records(Query(.token, project: nil)).map { try $0.decoded() as Token }
            .filter { TokenSpec.Purpose.forAPI.contains($0.spec.purpose) }
    }

    package func revoke(_ token: Token) async throws {
        try await store.delete(token.key)
        forget(hash: token.metadata.name)
    }

    private func endSessions(of userID: String, keeping session: String?) async throws {
        let kept = session.map(Directory.hash)
        for token in try await tokens(of: userID, purposes: [.session, .apps, .ticket, .login])
        where token.metadata.name != kept && (kept == nil || token.spec.session != kept) {
            try await revoke(token)
        }
    }

    /// A session, with the cookies and tickets that were made from it.
    private func end(_ session: Token) async throws {
        if let owner = session.spec.owner {
            for token in try await tokens(of: owner, purposes: [.apps, .ticket])
            where token.spec.session == session.metadata.name {
                try await revoke(token)
            }
        }
        try await revoke(session)
    }

    // MARK: - Helpers

    private func change(_ userID: String, _ change: @escaping @Sendable (inout UserSpec) -> Void) async throws {
        try await store.updateSpec(ResourceKey(.user, userID), of: User.self) { change(&$0) }
        forgetUsers()
    }

    private func checkAnotherAdministrator(than userID: String) async throws {
        let administrators = try await users().filter(\.spec.isAdministrator)
        guard administrators.contains(where: { $0.id == userID }), administrators.count == 1 else { return }
        throw TakumiError(
            .conflict, "'\(administrators[0].metadata.name)' is the only administrator; make somebody else one first")
    }

    private static func validate(_ password: String, user: String, _ validator: inout Validator) {
        validator.require(
            PasswordHash.length.contains(password.count), "password",
            "must have \(PasswordHash.length.lowerBound) to \(PasswordHash.length.upperBound) characters")
        validator.require(
            password.lowercased() != user.lowercased(), "password", "must not be the user name")
    }
}

extension Optional where Wrapped: Sendable {
    fileprivate func asyncMap<Value>(_ transform: (Wrapped) async throws -> Value) async rethrows -> Value? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
