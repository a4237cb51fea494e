import Foundation
import GRDB
import Resource

/// Writes that belong together: all of them happen, or none.
package struct Batch: Sendable {
    fileprivate struct Insertion: Sendable {
        var record: Record
        var references: [Reference]
        var event: String?
        var uniqueName: String?
    }

    fileprivate struct Update: Sendable {
        var record: Record
        var expected: Int
        var event: String?
    }

    fileprivate var insertions: [Insertion] = []
    fileprivate var updates: [Update] = []
    fileprivate var conditions: [Condition] = []

    package init() {}

    package var isEmpty: Bool { insertions.isEmpty && updates.isEmpty }

    package mutating func require(_ condition: Condition) { conditions.append(condition) }

    /// A new resource. What it refers to must be there, or come before it in this batch.
    /// - Parameter uniqueName: as in `Store.insert`.
    package mutating func insert<Spec, Status>(
        _ resource: Resource<Spec, Status>, event: String? = nil, uniqueName: String? = nil
    ) throws {
        insertions.append(
            Insertion(
                record: try Record(resource), references: resource.spec.references, event: event,
                uniqueName: uniqueName))
    }

    /// A status over exactly the version that was read.
    package mutating func update<Spec, Status>(_ resource: Resource<Spec, Status>, event: String? = nil) throws {
        var resource = resource
        let expected = resource.metadata.version
        resource.metadata.version += 1
        resource.metadata.updatedAt = Date()
        updates.append(Update(record: try Record(resource), expected: expected, event: event))
    }
}

extension Store {
    /// - Returns: false, with nothing written, where someone else has written one of the updated resources meanwhile: read
    ///   again and plan again.
    /// - Throws: as `insert`, and what a condition throws.
    package func apply(_ batch: Batch, mayUseReserve: Bool = true) async throws -> Bool {
        try await write(mayUseReserve: mayUseReserve) { db, touched in
            for condition in batch.conditions { try condition.check(db) }
            for update in batch.updates {
                let key = update.record.key
                guard let current = try Store.fetch(db, key, project: nil), current.metadata.version == update.expected
                else { return false }
            }
            for update in batch.updates {
                try Store.update(db, update.record)
                if let event = update.event {
                    try Store.append(db, update.record.metadata, phase: update.record.phase, message: event)
                }
                touched.append(update.record.key)
            }
            for insertion in batch.insertions {
                try Store.insert(
                    db, checked: insertion.record, references: insertion.references, uniqueName: insertion.uniqueName)
                if let event = insertion.event {
                    try Store.append(db, insertion.record.metadata, phase: insertion.record.phase, message: event)
                }
                touched.append(insertion.record.key)
            }
            return true
        }
    }

    /// Changes a spec over exactly the version that was read.
    /// - Returns: the resource as stored.
    /// - Throws: `conflict` where someone else has written it meanwhile.
    package func updateSpec<Spec, Status>(
        of resource: Resource<Spec, Status>, event: String, _ change: (inout Spec) -> Void
    ) async throws -> Resource<Spec, Status> {
        var next = resource
        change(&next.spec)
        next.metadata.generation += 1
        var batch = Batch()
        try batch.update(next, event: event)
        guard try await apply(batch, mayUseReserve: false),
            let stored: Resource<Spec, Status> = try await self.resource(resource.key)
        else {
            throw TakumiError(
                .conflict, "\(resource.key.kind) '\(resource.metadata.name)' was changed meanwhile; try again")
        }
        return stored
    }
}
