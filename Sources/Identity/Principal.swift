/// What a user may do in a project.
package enum Role: String, Codable, Sendable, Comparable, CaseIterable {
    case viewer, member, administrator

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .member: 1
        case .administrator: 2
        }
    }

    package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
}

/// Who makes a request.
package struct Principal: Sendable, Equatable {
    package var user: String
    /// App key and role of a token. nil with the role of an administrator: every project.
    package var project: String?
    package var role: Role
    /// The user's id; nil for tokens that belong to no user, such as those of `takumi token create`.
    package var userID: String?
    /// A session's projects: a user may have several, a token has one.
    package var memberships: [String: Role]
    /// Of a session: its user can only come in by a one-time link so far.
    package var lacksPassword: Bool

    package init(
        user: String, project: String?, role: Role, userID: String? = nil, memberships: [String: Role] = [:],
        lacksPassword: Bool = false
    ) {
        self.user = user
        self.project = project
        self.role = role
        self.userID = userID
        self.memberships = memberships
        self.lacksPassword = lacksPassword
    }

    /// True for who administers the server itself: users, projects, everything in each of them.
    package var isAdministrator: Bool { project == nil && role == .administrator }

    /// nil where the project is none of theirs.
    package func role(in project: String) -> Role? {
        if isAdministrator { return .administrator }
        return self.project == project ? role : memberships[project]
    }

    package func mayRead(project: String) -> Bool { role(in: project) != nil }

    package func mayWrite(project: String) -> Bool { role(in: project).map { $0 >= .member } ?? false }
}
