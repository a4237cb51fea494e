import ArgumentParser
import Resource

/// A kind of resource as the command line knows it. The verbs that every kind shares (`list`, `get`, `update`, `delete`,
/// `events`) are written once for any noun.
protocol Noun: Sendable, SendableMetatype {
    associatedtype Filters: ListFilters = NoFilters

    /// The wire's word, which its field names begin with: `training` for `trainingId`.
    static var singular: String { get }
    /// The route below the project: `/trainings`.
    static var path: String { get }
    /// What to call one of them, and several: `training`, `trainings`.
    static var title: String { get }
    static var plural: String { get }
    static var columns: [Column] { get }
    static func details(_ item: JSONValue) -> [(String, String)]
    /// The items with the names of what they only have ids of, for people to read.
    static func readable(_ items: [JSONValue], _ session: Session) async throws -> [JSONValue]
}

extension Noun {
    static var title: String { singular }
    static func readable(_ items: [JSONValue], _ session: Session) async throws -> [JSONValue] { items }

    static func id(_ item: JSONValue) -> String { item[singular + "Id"].text }
    static func name(_ item: JSONValue) -> String { item[singular + "Name"].text }
    static func state(_ item: JSONValue) -> String { Format.state(item[singular + "StatusCode"].string) }

    /// How to speak of one: its name, and its id to be copied.
    static func label(_ item: JSONValue) -> String { "\(title) '\(name(item))' (\(id(item)))" }

    /// What a copy is called where nobody says it.
    static func copyName(_ item: JSONValue) -> String { String(name(item).prefix(Limits.name - 5)) + "-copy" }

    static func list(_ envelope: JSONValue) -> [JSONValue] { envelope[singular + "List"].array ?? [] }

    /// What a change was answered with; the resource as it was where the reply has none.
    static func single(_ envelope: JSONValue, else known: JSONValue) -> JSONValue {
        envelope[singular].isNull ? known : envelope[singular]
    }

    static var nameColumn: Column { Column("NAME", isFlexible: true) { name($0) } }
    static var idColumn: Column { Column("ID") { id($0) } }
    static var stateColumn: Column { Column("STATE") { state($0) } }
    static var createdColumn: Column {
        Column("CREATED", isOptional: true) { Timestamp.local($0["createdDatetime"].string) }
    }

    static func head(_ item: JSONValue) -> [(String, String)] {
        [
            ("name", name(item)), ("id", id(item)), ("state", state(item)), ("reason", item["statusReason"].text),
            ("description", item["description"].text),
        ]
    }

    static func foot(_ item: JSONValue) -> [(String, String)] {
        let tags = TagChange.tags(of: item).map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        return [("tags", tags), ("created", Timestamp.local(item["createdDatetime"].string))]
    }
}

/// Options that narrow a list down.
protocol ListFilters: ParsableArguments {
    func query(_ session: Session) async throws -> [(String, String)]
}

struct NoFilters: ListFilters {
    func query(_ session: Session) async throws -> [(String, String)] { [] }
}
