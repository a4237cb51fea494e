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
}
