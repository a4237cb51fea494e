import Foundation
import GRDB
import Resource

/// The one door to the database: SQLite in WAL mode through GRDB.
///
/// Reads run on a pool of connections; writes are serialised. No closure passed to GRDB does anything slower than SQLite
/// itself. Several processes may open the same home: the server, and a `takumi token create` beside it.
package final class Store: Sendable {
    let database: any DatabaseWriter
    package let changes: ChangeFeed
    private let reserve: DiskReserve?

    /// Opens or creates the database and brings its schema up to date.
    /// - Parameter path: nil keeps it in memory, for tests.
    package init(path: String?) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { db in
            // NORMAL is safe against a killed process; only a power cut may lose the last commits, never the order.
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            try db.execute(sql: "PRAGMA foreign_keys = ON")
        }
        do {
            if let path {
                database = try DatabasePool(path: path, configuration: configuration)
            } else {
                database = try DatabaseQueue(configuration: configuration)
            }
            try Schema.migrator.migrate(database)
        } catch let error as DatabaseError {
            throw Store.translated(error)
        }
        changes = ChangeFeed()
        reserve = path.map { DiskReserve(path: "\($0).reserve") }
        reserve?.fill()
    }

    func read<T: Sendable>(_ body: @Sendable @escaping (Database) throws -> T) async throws -> T {
        do {
            return try await database.read(body)
        } catch let error as DatabaseError {
            throw Store.translated(error)
        }
    }

    /// Runs one write transaction, then tells the change feed which keys it touched.
    /// - Parameter mayUseReserve: on a full disk give up the reserve and try again. For what already runs and must still be
    ///   able to end; a new request is refused instead.
    func write<T: Sendable>(
        mayUseReserve: Bool = false, _ body: @Sendable @escaping (Database, inout [ResourceKey]) throws -> T
    ) async throws -> T {
        do {
            return try await commit(body)
        } catch let error as DatabaseError {
            guard mayUseReserve, error.isDiskFull, reserve?.release() == true else { throw Store.translated(error) }
        }
        do {
            return try await commit(body)
        } catch let error as DatabaseError {
            throw Store.translated(error)
        }
    }

    private func commit<T: Sendable>(
        _ body: @Sendable @escaping (Database, inout [ResourceKey]) throws -> T
    ) async throws -> T {
        let (result, touched) = try await database.write { db in
            var touched: [ResourceKey] = []
            let result = try body(db, &touched)
            return (result, touched)
        }
        changes.publish(touched)
        return result
    }

    /// A full disk or a locked file is something the user can mend, so it is said in those words.
    static func translated(_ error: DatabaseError) -> any Error {
        switch error.resultCode {
        case _ where error.isDiskFull:
            TakumiError(
                .unavailable,
                "the database could not be written: no space left on device; free some disk space")
        case .SQLITE_BUSY:
            TakumiError(.unavailable, "the database is busy; try again")
        default:
            error
        }
    }
}

extension DatabaseError {
    /// SQLite says "I/O error" where a file that it maps cannot grow.
    var isDiskFull: Bool { resultCode == .SQLITE_FULL || resultCode == .SQLITE_IOERR }
}
