import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Resource
import Store
import Web

/// The routes that every kind has: create, list, read, change of name and tags, delete, history, dependents.
package struct ResourceRoutes<Type: ResourceType>: Sendable {
    package let type: Type
    private let store: Store
    private let sources: ClockAndIDs
    private let cache = WireCache()

    package init(_ type: Type, store: Store, sources: ClockAndIDs) {
        self.type = type
        self.store = store
        self.sources = sources
    }

    private var names: WireNames { type.names }

    package func add(to group: RouterGroup<TakumiContext>) {
        let all = group.group(RouterPath(names.collection))
            .get { request, context in try await list(request, context) }
        let one = all.group("{id}").get { _, context in try await read(context) }
        guard !type.isPart else { return }
        all.post { request, context in try await create(request, context) }
        one.put { request, context in
            type.isEditable ? try await replace(request, context) : try await update(request, context)
        }
        .delete { _, context in try await delete(context) }
        .get("events") { request, context in try await events(request, context) }
        .get("dependents") { _, context in try await dependents(context) }
    }

    /// Loads the resource that the path names, for a kind's own routes.
    package func resource(_ context: TakumiContext) async throws -> Type.Object {
        let key = ResourceKey(names.kind, try context.id.lowercased())
        guard let record = try await store.record(key, project: try context.project) else { throw Store.missing(key) }
        return try record.decoded()
    }

    /// Answers with one resource in its wire form.
    package func respond(_ resource: Type.Object) async throws -> Response {
        Envelope.one(names.singular, encoded: try await encoded([resource], project: resource.metadata.project)[0])
    }

    // MARK: - Routes

    private func create(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let project = try context.project
        let body = try await request.json(Type.Create.self, context: context)
        let draft = try await type.draft(body, project: project)
        return try await respond(try await insert(draft, project: project, by: context.principal))
    }

    /// Stores a checked request under a new id.
    package func insert(
        _ draft: Draft<Type.Spec, Type.Status>, project: String, by principal: Principal? = nil
    ) async throws -> Type.Object {
        var status = draft.status
        type.note(creator: principal?.userID, in: &status)
        let resource = Type.Object(
            metadata: Metadata(
                key: ResourceKey(names.kind, sources.newID()), project: project, name: draft.name,
                description: draft.description, tags: draft.tags, createdAt: sources.now()),
            spec: draft.spec, status: status)
        var batch = Batch()
        try batch.insert(
            resource, event: "requested", uniqueName: type.hasUniqueNames ? names.nameField : nil)
        try draft.parts?(resource, &batch)
        _ = try await store.apply(batch, mayUseReserve: false)
        return resource
    }

    private func list(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let project = try context.project
        let items = QueryItems(request)
        var query = Query(names.kind, project: project)
        query.ids = items.all("\(names.singular)IdList").map { $0.lowercased() }
        query.names = items.all("\(names.singular)NameList")
        for kind in type.embeds {
            if let id = items["\(kind)Id"] { query.referring = ResourceKey(kind, id.lowercased()) }
        }
        query.limit = try items.number("limit")
        query.offset = try items.number("offset") ?? 0

        let rows = try await store.versions(query)
        let embedded = type.embeds.map { store.changes.revision(of: $0) }
        var answers: [[UInt8]] = []
        answers.reserveCapacity(rows.count)
        var missing: [Int] = []
        for (index, row) in rows.enumerated() {
            let cached = cache.bytes(row.id, version: row.version, embedded: embedded)
            if cached == nil { missing.append(index) }
            answers.append(cached ?? [])
        }
        if !missing.isEmpty { try await fill(&answers, missing, rows, query, project, embedded) }
        let total = query.limit == nil && query.offset == 0 ? rows.count : try await store.count(query)
        // A resource deleted between the two reads leaves a gap.
        return Envelope.list(names.list, encoded: answers.filter { !$0.isEmpty }, total: total)
    }

    private func fill(
        _ items: inout [[UInt8]], _ missing: [Int], _ rows: [(id: String, version: Int, phase: String)], _ query: Query,
        _ project: String, _ embedded: [Int]
    ) async throws {
        // Few changed since the last list: read those alone. Many: one read of all is cheaper than a long list of ids.
        var query = query
        if missing.count <= 200 {
            query = Query(names.kind, project: project)
            query.ids = missing.map { rows[$0].id }
        }
        let records = try await store.records(query)
        let resources: [Type.Object] = try records.map { try $0.decoded() }
        let bytes = try await encoded(resources, project: project)
        var byID: [String: [UInt8]] = [:]
        for (record, bytes) in zip(records, bytes) {
            byID[record.key.id] = bytes
            if !type.isVolatile(phase: record.phase) {
                cache.store(bytes, record.key.id, version: record.metadata.version, embedded: embedded)
            }
        }
        for index in missing { items[index] = byID[rows[index].id] ?? [] }
    }

    private func read(_ context: TakumiContext) async throws -> Response {
        try await respond(try await resource(context))
    }

    private func update(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let fields = try await request.json([String: UpdateValue].self, context: context)
        let resource = try await resource(context)
        let names = names
        var validator = Validator()
        let allowed: Set<String> = [names.nameField, "description", "tagList"]
        for field in fields.keys.sorted() where !allowed.contains(field) {
            validator.refuse(field, "cannot be changed; only \(allowed.sorted().joined(separator: ", ")) can")
        }
        for field in [names.nameField, "description"] {
            validator.require(fields[field].map { $0.isText || $0.isNone } ?? true, field, "must be a text")
        }
        validator.require(fields["tagList"].map { $0.isTags || $0.isNone } ?? true, "tagList", "must be a list of tags")
        validator.require(fields[names.nameField]?.isNone != true, names.nameField, "is required")
        try validator.check()
        return try await respond(
            try await change(
                resource, name: fields[names.nameField]?.text, description: fields["description"]?.text,
                tags: fields["tagList"]?.tags))
    }

    /// Of a kind that is editable: what the body has replaces what is there, null takes it away, the rest stays.
    private func replace(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let changes = try await request.json([String: JSONText].self, context: context)
        let resource = try await resource(context)
        let encoded = try await encoded([resource], project: resource.metadata.project)[0]
        var fields = try JSONDecoder().decode([String: JSONText].self, from: Data(encoded))
        for (name, value) in changes { fields[name] = value.isNull ? nil : value }
        let body: Type.Create
        do {
            body = try JSONDecoder().decode(Type.Create.self, from: try JSONEncoder().encode(fields))
        } catch let error as DecodingError {
            throw DecodingProblem.explained(error)
        }
        return try await respond(
            try await replace(resource, by: try await type.draft(body, project: resource.metadata.project)))
    }

    /// - Throws: `conflict` where someone else has changed it meanwhile.
    package func replace(_ resource: Type.Object, by draft: Draft<Type.Spec, Type.Status>) async throws -> Type.Object {
        var next = resource
        (next.metadata.name, next.metadata.description) = (draft.name, draft.description)
        (next.metadata.tags, next.spec) = (draft.tags, draft.spec)
        next.metadata.generation += 1
        var batch = Batch()
        try batch.update(next, event: "changed")
        guard try await store.apply(batch), let stored: Type.Object = try await store.resource(resource.key) else {
            throw TakumiError(
                .conflict, "\(names.kind) \(resource.id) was changed meanwhile; look again, then try again")
        }
        return stored
    }

    /// Changes what is not nil.
    /// - Throws: `ValidationErrors`; `conflict` for a name that is taken.
    package func change(_ resource: Type.Object, name: String?, description: String?, tags: [Tag]?) async throws
        -> Type.Object
    {
        var validator = Validator()
        if let name { validator.name(name, names.nameField) }
        validator.length(description, "description", limit: Limits.description)
        if let tags { validator.tags(tags) }
        try validator.check()
        let newName = name == resource.metadata.name ? nil : name
        let record = try await store.updateMetadata(
            resource.key, project: resource.metadata.project, uniqueName: type.hasUniqueNames ? names.nameField : nil,
            condition: newName.flatMap { type.condition(ofRenaming: resource, to: $0) }
        ) { metadata in
            if let name { metadata.name = name }
            if let description { metadata.description = description }
            if let tags { metadata.tags = tags }
        }
        return try record.decoded()
    }

    private func delete(_ context: TakumiContext) async throws -> Response {
        try await delete(try await resource(context))
        return Envelope.empty()
    }

    /// - Throws: `conflict` where something stands in the way.
    package func delete(_ resource: Type.Object) async throws {
        var resource = resource
        while true {
            // What the resource itself has against it comes first: its parts stand in the way only as long as that does.
            try await type.checkDelete(resource)
            try await store.checkDeletable(resource.key)
            if try await type.startDeletion(resource) { return }
            // Only as it was when it was checked: it may have been started again in between.
            if let parts = try await store.delete(resource) {
                return try await type.didDelete(resource, parts: parts)
            }
            guard let current: Type.Object = try await store.resource(resource.key) else {
                throw Store.missing(resource.key)
            }
            resource = current
        }
    }

    private func events(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let resource = try await resource(context)
        let after = try QueryItems(request).number("after") ?? 0
        return try Envelope.one(
            "eventList", try await store.events(of: resource.key, after: after).map(WireEvent.init))
    }

    private func dependents(_ context: TakumiContext) async throws -> Response {
        let resource = try await resource(context)
        return try Envelope.one(
            "dependentList", try await store.dependents(of: resource.key).map(WireDependent.init))
    }

    // MARK: - Helpers

    private func encoded(_ resources: [Type.Object], project: String) async throws -> [[UInt8]] {
        try await type.wire(resources, project: project).map { try WireJSON.encode($0) }
    }
}
