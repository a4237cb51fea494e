import Foundation
import GRDB
import Resource

extension Store {
    package func records(_ query: Query) async throws -> [Record] {
        try await read { db in try Store.fetch(db, query) }
    }

    /// Id, version and phase of each record: enough to serve a list from a cache of encoded answers.
    package func versions(_ query: Query) async throws -> [(id: String, version: Int, phase: String)] {
        try await read { db in
            let (tail, arguments) = query.request()
            return try Row.fetchAll(db, sql: "SELECT id, version, phase FROM resource \(tail)", arguments: arguments)
                .map { (id: $0[0], version: $0[1], phase: $0[2]) }
        }
    }

    /// How many records a query has, its limit and offset aside.
    package func count(_ query: Query) async throws -> Int {
        var query = query
        (query.limit, query.offset) = (nil, 0)
        let (tail, arguments) = query.request()
        return try await read { db in
            try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM resource \(tail)", arguments: arguments) ?? 0
        }
    }

    package func record(_ key: ResourceKey, project: String? = nil) async throws -> Record? {
        try await read { db in try Store.fetch(db, key, project: project) }
    }

    package func resource<Spec, Status>(
        _ key: ResourceKey, as type: Resource<Spec, Status>.Type = Resource<Spec, Status>.self
    ) async throws -> Resource<Spec, Status>? {
        try await record(key)?.decoded()
    }

    /// Resources of one kind by their ids, in one read; what is not there is left out.
    package func resources<Spec, Status>(
        _ keys: some Sequence<ResourceKey>, as type: Resource<Spec, Status>.Type = Resource<Spec, Status>.self
    ) async throws -> [String: Resource<Spec, Status>] {
        try await records(keys).mapValues { try $0.decoded() }
    }

    /// As `resources`, not decoded.
    package func records(_ keys: some Sequence<ResourceKey>) async throws -> [String: Record] {
        let unique = Set(keys)
        guard let kind = unique.first?.kind else { return [:] }
        var query = Query(kind, project: nil)
        query.ids = unique.map(\.id)
        return Dictionary(uniqueKeysWithValues: try await records(query).map { ($0.key.id, $0) })
    }

    package func keys(unsettledOf kind: ResourceKind) async throws -> [ResourceKey] {
        var query = Query(kind, project: nil)
        query.unsettledOnly = true
        return try await versions(query).map { ResourceKey(kind, $0.id) }.reversed()
    }

    /// Stores a new resource with its references and its first event, in one transaction.
    /// - Parameter uniqueName: refuse a second resource of this kind and name in the project, blaming this field.
    /// - Throws: `conflict` for a name already taken, `notFound` where a reference has gone meanwhile.
    package func insert<Spec, Status>(_ resource: Resource<Spec, Status>, uniqueName field: String? = nil) async throws
    {
        let record = try Record(resource)
        let references = resource.spec.references
        let metadata = resource.metadata
        try await write { db, touched in
            try Store.insert(db, checked: record, references: references, uniqueName: field)
            try Store.append(db, metadata, phase: record.phase, message: "requested")
            touched.append(metadata.key)
        }
    }

    static func insert(_ db: Database, checked record: Record, references: [Reference], uniqueName field: String?)
        throws
    {
        let metadata = record.metadata
        if let field,
            let taken = try String.fetchOne(
                db, sql: "SELECT id FROM resource WHERE kind = ? AND project = ? AND name = ?",
                arguments: [metadata.key.kind.rawValue, metadata.project, metadata.name])
        {
            throw TakumiError(
                .conflict,
                "'\(metadata.name.excerpt)' is taken by \(metadata.key.kind) \(taken); choose another name",
                field: field)
        }
        for reference in references.map(\.key) {
            guard try Store.fetch(db, reference, project: metadata.project) != nil else {
                throw TakumiError(.notFound, "\(reference.kind) \(reference.id) was deleted meanwhile")
            }
        }
        try Store.insert(db, record, references: references)
    }

    /// Changes name, description and tags (and the spec, where a kind allows it).
    /// - Throws: `notFound`; what the condition throws.
    package func updateMetadata(
        _ key: ResourceKey, project: String, uniqueName field: String? = nil, condition: Condition? = nil,
        _ change: @Sendable @escaping (inout Metadata) throws -> Void
    ) async throws -> Record {
        try await write { db, touched in
            guard var record = try Store.fetch(db, key, project: project) else { throw Store.missing(key) }
            try condition?.check(db)
            let name = record.metadata.name
            try change(&record.metadata)
            if let field, record.metadata.name != name,
                try String.fetchOne(
                    db, sql: "SELECT id FROM resource WHERE kind = ? AND project = ? AND name = ? AND id <> ?",
                    arguments: [key.kind.rawValue, project, record.metadata.name, key.id]) != nil
            {
                throw TakumiError(
                    .conflict, "'\(record.metadata.name.excerpt)' is taken; choose another name", field: field)
            }
            record.metadata.updatedAt = Date()
            record.metadata.generation += 1
            record.metadata.version += 1
            try Store.update(db, record)
            touched.append(key)
            return record
        }
    }

    /// Changes the spec of a kind whose specs may change, in one transaction with reading it.
    /// - Throws: `notFound`; what a condition throws.
    package func updateSpec<Spec, Status>(
        _ key: ResourceKey, of type: Resource<Spec, Status>.Type, conditions: [Condition] = [],
        _ change: @Sendable @escaping (inout Spec) -> Void
    ) async throws {
        try await write { db, touched in
            for condition in conditions { try condition.check(db) }
            guard var resource: Resource<Spec, Status> = try Store.fetch(db, key, project: nil)?.decoded() else {
                throw Store.missing(key)
            }
            change(&resource.spec)
            resource.metadata.updatedAt = Date()
            resource.metadata.generation += 1
            resource.metadata.version += 1
            try Store.update(db, try Record(resource))
            touched.append(key)
        }
    }

    /// Writes a status over exactly the version that was read.
    ///
    /// - Parameter event: one line for the resource's history; nil where the change is not worth one.
    /// - Returns: the resource as stored, or nil where someone else wrote meanwhile: read again and plan again.
    package func updateStatus<Spec, Status>(
        _ resource: Resource<Spec, Status>, event: String? = nil
    ) async throws -> Resource<Spec, Status>? {
        var resource = resource
        let expected = resource.metadata.version
        resource.metadata.version += 1
        resource.metadata.updatedAt = Date()
        let record = try Record(resource)
        let metadata = resource.metadata
        let stored = try await write(mayUseReserve: true) { db, touched in
            guard let current = try Store.fetch(db, metadata.key, project: nil), current.metadata.version == expected
            else {
                return false
            }
            try Store.update(db, record)
            if let event { try Store.append(db, metadata, phase: record.phase, message: event) }
            touched.append(metadata.key)
            return true
        }
        return stored ? resource : nil
    }

    /// Moves a resource to a phase, without a cause, also where someone else writes it meanwhile.
    /// - Returns: false where it is in that phase already, or gone.
    package func move<Spec, Status>(
        _ resource: Resource<Spec, Status>, to phase: Status.PhaseType, event: String
    ) async throws -> Bool {
        var next = resource
        while next.status.phase != phase {
            next.status.phase = phase
            next.status.cause = nil
            if try await updateStatus(next, event: event) != nil { return true }
            guard let current: Resource<Spec, Status> = try await self.resource(resource.key) else { return false }
            next = current
        }
        return false
    }

    /// Removes a resource, its references and its events, unless something that refers to it stands in the way.
    package func delete(_ key: ResourceKey) async throws {
        _ = try await deleteIfPresent(key)
    }

    /// As `delete`.
    /// - Returns: false where it was gone already. Of several who delete at once, one is told true.
    package func deleteIfPresent(_ key: ResourceKey) async throws -> Bool {
        try await write { db, touched in
            guard try Store.fetch(db, key, project: nil) != nil else { return false }
            try Store.checkDeletable(db, key)
            try Store.remove(db, key)
            touched.append(key)
            return true
        }
    }

    /// Removes a resource as it was read, together with its parts, unless something that refers to it stands in the way.
    /// - Returns: the parts; nil, with nothing removed, where it has changed or gone since it was read.
    package func delete<Spec, Status>(_ resource: Resource<Spec, Status>) async throws -> [ResourceKey]? {
        let key = resource.key
        return try await write { db, touched in
            let current = try Store.fetch(db, key, project: nil)
            guard current?.metadata.version == resource.metadata.version else { return nil }
            try Store.checkDeletable(db, key)
            let parts = try Store.fetchParts(db, key)
            for part in parts + [key] { try Store.remove(db, part) }
            touched += parts + [key]
            return parts
        }
    }

    /// What refers to a resource, oldest first.
    package func dependents(of key: ResourceKey, limit: Int? = nil) async throws -> [Record] {
        try await read { db in try Store.fetchDependents(db, key, blockingOnly: false, limit: limit) }
    }

    package func dependentCount(of key: ResourceKey) async throws -> Int {
        try await read { db in try Store.countDependents(db, key, blockingOnly: false) }
    }

    /// - Throws: `conflict` with the list of what stands in the way of a deletion (C-7).
    package func checkDeletable(_ key: ResourceKey) async throws {
        try await read { db in try Store.checkDeletable(db, key) }
    }

    package static func missing(_ key: ResourceKey) -> TakumiError {
        TakumiError(.notFound, "no \(key.kind) has the id '\(key.id.excerpt)' in this project")
    }

    /// The refusal of C-7, with the first of what stands in the way.
    package static func blocked(_ key: ResourceKey, by dependents: [Record], of count: Int) -> TakumiError {
        let names = dependents.map { "\($0.key.kind) '\($0.metadata.name)' (\($0.key.id))" }
        let more = count > dependents.count ? " and \(count - dependents.count) more" : ""
        return TakumiError(
            .conflict,
            "\(key.kind) \(key.id) is still used by \(names.joined(separator: ", "))\(more); delete these first")
    }
}
