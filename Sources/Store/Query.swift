import GRDB
import Resource

/// Which records of one kind and project a list wants. Newest first unless told.
package struct Query: Sendable {
    package var kind: ResourceKind
    /// nil: every project (for the server itself, never for a user's request).
    package var project: String?
    package var ids: [String] = []
    package var names: [String] = []
    /// Only records that refer to this one (a training's experiment, say).
    package var referring: ResourceKey? {
        get { referringAny?.first }
        set { referringAny = newValue.map { [$0] } }
    }
    /// Only records that refer to one of these, which are all of one kind; nil for any record.
    package var referringAny: [ResourceKey]?
    package var unsettledOnly = false
    /// Only records whose name or id contains this, whatever the case of ASCII letters.
    package var search = ""
    /// Only records in one of these phases (wire codes).
    package var phases: [String] = []
    package var order = Order.newest
    package var limit: Int?
    package var offset = 0

    package enum Order: String, Sendable, CaseIterable {
        case newest, oldest, name, nameDescending, phase, phaseDescending

        fileprivate var sql: String {
            switch self {
            case .newest: "sequence DESC"
            case .oldest: "sequence"
            case .name: "name COLLATE NOCASE, sequence DESC"
            // Exactly an index read backwards.
            case .nameDescending: "name COLLATE NOCASE DESC, sequence"
            case .phase: "phase, sequence DESC"
            case .phaseDescending: "phase DESC, sequence"
            }
        }
    }

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
        for (column, values) in [("id", ids), ("name", names), ("phase", phases)] where !values.isEmpty {
            conditions.append("\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))")
            arguments += values
        }
        if let referringAny {
            // By key, row by row: a list of ids would be made anew for each row, since it depends on the row's kind.
            conditions.append(
                """
                EXISTS (SELECT 1 FROM reference
                WHERE from_kind = resource.kind AND from_id = resource.id AND to_kind = ?
                AND to_id IN (\(referringAny.map { _ in "?" }.joined(separator: ", "))))
                """)
            arguments += [referringAny.first?.kind.rawValue] + referringAny.map(\.id)
        }
        if !search.isEmpty {
            conditions.append("(name LIKE ? ESCAPE '\\' OR id = ?)")
            let literal = search.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
            arguments += ["%\(literal)%", search.lowercased()]
        }
        if unsettledOnly { conditions.append("settled = 0") }
        var tail = "WHERE \(conditions.joined(separator: " AND ")) ORDER BY \(order.sql)"
        if limit != nil || offset > 0 {
            tail += " LIMIT ? OFFSET ?"
            arguments += [limit ?? -1, offset]
        }
        return (tail, StatementArguments(arguments))
    }
}
