import Foundation
import GRDB
import Resource

/// One line of a resource's history.
package struct Event: Sendable, Codable {
    package var sequence: Int
    package var key: ResourceKey
    package var at: Date
    /// The wire code of the phase that the resource was in from then on.
    package var phase: String
    package var message: String
}

extension Store {
    static func append(_ db: Database, _ metadata: Metadata, phase: String, message: String) throws {
        let statement = try db.cachedStatement(
            sql: "INSERT INTO event (kind, id, project, at, phase, message) VALUES (?, ?, ?, ?, ?, ?)")
        try statement.execute(arguments: [
            metadata.key.kind.rawValue, metadata.key.id, metadata.project, Date().timeIntervalSince1970, phase, message,
        ])
    }

    /// The history of one resource, oldest first.
    package func events(of key: ResourceKey, after sequence: Int = 0, limit: Int = 1000) async throws -> [Event] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT sequence, at, phase, message FROM event WHERE kind = ? AND id = ? AND sequence > ?
                    ORDER BY sequence LIMIT ?
                    """,
                arguments: [key.kind.rawValue, key.id, sequence, limit]
            ).map {
                Event(
                    sequence: $0[0], key: key, at: Date(timeIntervalSince1970: $0[1]), phase: $0[2], message: $0[3])
            }
        }
    }

    /// What happened to the resources of a project, newest first, with their names of today.
    ///
    /// - Parameters:
    ///   - kinds: only resources of these kinds.
    ///   - sequence: only what happened before this event.
    package func events(
        ofProject project: String, kinds: [ResourceKind], before sequence: Int? = nil, limit: Int
    ) async throws -> [(event: Event, name: String)] {
        let marks = kinds.map { _ in "?" }.joined(separator: ", ")
        let arguments: StatementArguments =
            [project, sequence ?? Int.max] + StatementArguments(kinds.map(\.rawValue)) + [limit]
        return try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT event.sequence, event.kind, event.id, event.at, event.phase, event.message, resource.name
                    FROM event JOIN resource ON resource.kind = event.kind AND resource.id = event.id
                    WHERE event.project = ? AND event.sequence < ? AND event.kind IN (\(marks))
                    ORDER BY event.sequence DESC LIMIT ?
                    """,
                arguments: arguments
            ).map {
                let event = Event(
                    sequence: $0[0], key: ResourceKey(ResourceKind($0[1]), $0[2]),
                    at: Date(timeIntervalSince1970: $0[3]), phase: $0[4], message: $0[5])
                return (event, $0[6])
            }
        }
    }

    /// How many records of a kind and project are in each phase (wire codes).
    package func phaseCounts(of kind: ResourceKind, project: String) async throws -> [String: Int] {
        try await read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT phase, COUNT(*) FROM resource WHERE kind = ? AND project = ? GROUP BY phase",
                arguments: [kind.rawValue, project])
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
        }
    }
}
