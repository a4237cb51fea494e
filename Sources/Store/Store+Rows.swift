import GRDB
import Resource

/// The statements themselves; each runs inside a transaction that its caller opened.
extension Store {
    static func fetch(_ db: Database, _ key: ResourceKey, project: String?) throws -> Record? {
        let statement = try db.cachedStatement(
            sql: "SELECT \(Record.columns) FROM resource WHERE kind = ? AND id = ?")
        let row = try Row.fetchOne(statement, arguments: [key.kind.rawValue, key.id])
        guard let record = try row.map(Record.init(row:)) else { return nil }
        // A foreign project's id is answered as if it did not exist.
        return project == nil || record.metadata.project == project ? record : nil
    }

    static func fetch(_ db: Database, _ query: Query) throws -> [Record] {
        let (tail, arguments) = query.request()
        return try Row.fetchAll(db, sql: "SELECT \(Record.columns) FROM resource \(tail)", arguments: arguments)
            .map(Record.init(row:))
    }

    /// - Parameter blockingOnly: leave out those that no longer stand in the way of a deletion.
    static func fetchDependents(_ db: Database, _ key: ResourceKey, blockingOnly: Bool, limit: Int? = nil) throws
        -> [Record]
    {
        try Row.fetchAll(
            db, sql: "SELECT \(Record.columns) \(dependents) ORDER BY sequence LIMIT ?",
            arguments: [key.kind.rawValue, key.id, !blockingOnly, Reference.Hold.always.rawValue, limit ?? -1]
        ).map(Record.init(row:))
    }

    static func countDependents(_ db: Database, _ key: ResourceKey, blockingOnly: Bool) throws -> Int {
        try Int.fetchOne(
            db, sql: "SELECT COUNT(*) \(dependents)",
            arguments: [key.kind.rawValue, key.id, !blockingOnly, Reference.Hold.always.rawValue]) ?? 0
    }

    private static let dependents = """
        FROM resource JOIN reference ON from_kind = kind AND from_id = id WHERE to_kind = ? AND to_id = ?
        AND hold <> \(Reference.Hold.part.rawValue) AND (? OR hold = ? OR settled = 0)
        """

    /// - Throws: `conflict` with the list of what stands in the way of a deletion (C-7).
    static func checkDeletable(_ db: Database, _ key: ResourceKey) throws {
        let standing = try fetchDependents(db, key, blockingOnly: true, limit: 5)
        guard !standing.isEmpty else { return }
        throw blocked(key, by: standing, of: try countDependents(db, key, blockingOnly: true))
    }

    static func fetchParts(_ db: Database, _ key: ResourceKey) throws -> [ResourceKey] {
        try Row.fetchAll(
            db, sql: "SELECT from_kind, from_id FROM reference WHERE to_kind = ? AND to_id = ? AND hold = ?",
            arguments: [key.kind.rawValue, key.id, Reference.Hold.part.rawValue]
        ).map { ResourceKey(ResourceKind($0[0]), $0[1]) }
    }

    /// Removes a resource with its events and references, whatever refers to it.
    static func remove(_ db: Database, _ key: ResourceKey) throws {
        for sql in [
            "DELETE FROM resource WHERE kind = ? AND id = ?", "DELETE FROM event WHERE kind = ? AND id = ?",
            "DELETE FROM reference WHERE from_kind = ? AND from_id = ?",
            "DELETE FROM reference WHERE to_kind = ? AND to_id = ?",
        ] {
            try db.cachedStatement(sql: sql).execute(arguments: [key.kind.rawValue, key.id])
        }
    }

    static func insert(_ db: Database, _ record: Record, references: [Reference]) throws {
        let metadata = record.metadata
        let statement = try db.cachedStatement(
            sql: "INSERT INTO resource (\(Record.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        try statement.execute(arguments: [
            metadata.key.kind.rawValue, metadata.key.id, metadata.project, metadata.name, metadata.description,
            record.tagsJSON(), metadata.createdAt.timeIntervalSince1970, metadata.updatedAt.timeIntervalSince1970,
            metadata.generation, metadata.version, record.phase, record.settled, record.spec, record.status,
        ])
        for reference in references {
            try db.execute(
                sql: "INSERT OR IGNORE INTO reference VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    metadata.key.kind.rawValue, metadata.key.id, reference.key.kind.rawValue, reference.key.id,
                    reference.hold.rawValue,
                ])
        }
    }

    static func update(_ db: Database, _ record: Record) throws {
        let metadata = record.metadata
        let statement = try db.cachedStatement(
            sql: """
                UPDATE resource SET name = ?, description = ?, tags = ?, updated_at = ?, generation = ?, version = ?,
                phase = ?, settled = ?, spec = ?, status = ? WHERE kind = ? AND id = ?
                """)
        try statement.execute(arguments: [
            metadata.name, metadata.description, record.tagsJSON(), metadata.updatedAt.timeIntervalSince1970,
            metadata.generation, metadata.version, record.phase, record.settled, record.spec, record.status,
            metadata.key.kind.rawValue, metadata.key.id,
        ])
    }
}
