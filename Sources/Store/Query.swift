import GRDB
import Resource

/// Which records of one kind and project a list wants. Newest first.
package struct Query: Sendable {
    package var kind: ResourceKind
    /// nil: every project (for the server itself, never for a user's request).
    package var project: String?
    package var ids: [String] = []
    package var names: [String] = []
    /// Only records that refer to this one (a training's experiment, say).
    package var referring: ResourceKey?
    package var unsettledOnly = false
    package var limit: Int?
    package var offset = 0

    package init(_ kind: ResourceKind, project: String?) {
        self.kind = kind
        self.project = project
    }

    func request() -> (sql: String, arguments: StatementArguments) {
        var conditions = ["kind = ?"]
        var arguments: [(any DatabaseValueConvertible)?] = [kind.rawValue]
        if let project {
            conditions.append("project = ?")
            arguments.append(project)
        }
        for (column, values) in [("id", ids), ("name", names)] where !values.isEmpty {
            conditions.append("\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))")
            arguments += values
        }
        if let referring {
            conditions.append(
                "id IN (SELECT from_id FROM reference WHERE from_kind = resource.kind AND to_kind = ? AND to_id = ?)")
            arguments += [referring.kind.rawValue, referring.id]
        }
        if unsettledOnly { conditions.append("settled = 0") }
        var tail = "WHERE \(conditions.joined(separator: " AND ")) ORDER BY sequence DESC"
        if limit != nil || offset > 0 {
            tail += " LIMIT ? OFFSET ?"
            arguments += [limit ?? -1, offset]
        }
        return (tail, StatementArguments(arguments))
    }
}
