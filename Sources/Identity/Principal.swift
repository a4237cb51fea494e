/// What a user may do in a project.
package enum Role: String, Codable, Sendable, Comparable {
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
    /// App keys and roles. An administrator of the whole server is one in every project.
    package var project: String?
    package var role: Role

    package init(user: String, project: String?, role: Role) {
        self.user = user
        self.project = project
        self.role = role
    }

    package func mayRead(project: String) -> Bool {
        self.project == project || (self.project == nil && role == .administrator)
    }

    package func mayWrite(project: String) -> Bool { mayRead(project: project) && role >= .member }
}
