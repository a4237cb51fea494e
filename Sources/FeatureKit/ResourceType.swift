import Resource
import Store

/// All that the generic routes, commands and pages must know of a kind.
package protocol ResourceType: Sendable {
    associatedtype Spec: ResourceSpec
    associatedtype Status: ResourceStatus
    /// The body of a create request. Every field that can be missing is optional, so that validation can name it.
    associatedtype Create: Decodable & Sendable
    /// What clients get.
    associatedtype Wire: Encodable & Sendable
    typealias Object = Resource<Spec, Status>

    var names: WireNames { get }
    /// Whether two resources of a project may have one name.
    var hasUniqueNames: Bool { get }
    /// Part of another resource: users neither create, change nor delete one.
    var isPart: Bool { get }
    /// Its settings can be changed, and not only name, description and tags.
    var isEditable: Bool { get }
    /// Kinds whose contents show in this kind's wire form.
    var embeds: [ResourceKind] { get }

    /// Checks a request completely and turns it into a spec. Creates nothing but what the request itself asks for on the
    /// spot (an experiment of a training), and that only after every check has passed.
    func draft(_ body: Create, project: String) async throws -> Draft<Spec, Status>
    /// Notes in a new resource's status which user asks for it; nil where the caller's token belongs to nobody.
    func note(creator userID: String?, in status: inout Status)
    func wire(_ resources: [Object], project: String) async throws -> [Wire]
    /// Phases whose wire form changes by itself (an elapsed time).
    func isVolatile(phase: String) -> Bool
    /// That no other one has this name already, for kinds whose names are unique in something smaller than a project.
    func condition(ofRenaming resource: Object, to name: String) -> Condition?
    /// - Throws: `conflict` where the resource's own state forbids its deletion.
    func checkDelete(_ resource: Object) async throws
    /// Called after a deletion, to remove what the resource and its parts have left on the disk. Workloads that a crash leaves
    /// there all the same are found at the next start.
    func didDelete(_ resource: Object, parts: [ResourceKey]) async throws
    /// For a deletion that takes time: marks the resource as going, and its reconciler deletes it in the end.
    /// - Returns: false where it can be deleted at once.
    func startDeletion(_ resource: Object) async throws -> Bool
}

extension ResourceType {
    package var hasUniqueNames: Bool { false }
    package var isPart: Bool { false }
    package var isEditable: Bool { false }
    package var embeds: [ResourceKind] { [] }
    package func note(creator userID: String?, in status: inout Status) {}
    package func isVolatile(phase: String) -> Bool { false }
    package func condition(ofRenaming resource: Object, to name: String) -> Condition? { nil }
    package func checkDelete(_ resource: Object) async throws {}
    package func didDelete(_ resource: Object, parts: [ResourceKey]) async throws {}
    package func startDeletion(_ resource: Object) async throws -> Bool { false }
}

/// A checked request, ready to be stored.
package struct Draft<Spec: ResourceSpec, Status: ResourceStatus>: Sendable {
    package var name: String
    package var description: String
    package var tags: [Tag]
    package var spec: Spec
    package var status: Status
    /// Adds the resource's first parts to the transaction that stores it.
    package var parts: (@Sendable (Resource<Spec, Status>, inout Batch) throws -> Void)?

    package init(
        name: String, description: String?, tags: [Tag], spec: Spec, status: Status,
        parts: (@Sendable (Resource<Spec, Status>, inout Batch) throws -> Void)? = nil
    ) {
        self.name = name
        self.description = description ?? ""
        self.tags = tags
        self.spec = spec
        self.status = status
        self.parts = parts
    }
}

/// How a kind is spelt in paths and JSON.
package struct WireNames: Sendable {
    package var kind: ResourceKind
    /// `training`, `hyperparameterTuning`.
    package var singular: String
    /// `trainings`, `hyperparameter-tunings`.
    package var collection: String

    package init(kind: ResourceKind, singular: String, collection: String) {
        self.kind = kind
        self.singular = singular
        self.collection = collection
    }

    package var list: String { "\(singular)List" }
    package var nameField: String { "\(singular)Name" }
}

/// A tag as the wire spells it.
package struct WireTag: Codable, Sendable {
    package var tagKey: String?
    package var tagValue: String?

    package init(_ tag: Tag) {
        tagKey = tag.key
        tagValue = tag.value
    }

    package var tag: Tag { Tag(key: tagKey ?? "", value: tagValue ?? "") }
}

/// The create request of a kind whose resources are parts of others: there is none.
package struct NoBody: Decodable, Sendable {}

extension ResourceType where Create == NoBody {
    package func draft(_ body: NoBody, project: String) async throws -> Draft<Spec, Status> {
        throw TakumiError(.notFound, "there is no such page")
    }
}
