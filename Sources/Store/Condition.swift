import GRDB
import Resource

/// What must hold of other records at the moment of a write. It is checked in the write's transaction, where nobody else
/// writes in between.
package struct Condition: Sendable {
    private let query: Query
    private let holds: @Sendable ([Record]) throws -> Void

    /// - Parameter holds: throws what is to be answered. Only looks: no engine or network call.
    package init(_ query: Query, _ holds: @escaping @Sendable ([Record]) throws -> Void) {
        (self.query, self.holds) = (query, holds)
    }

    func check(_ db: Database) throws { try holds(try Store.fetch(db, query)) }
}
