import Foundation
import Resource
import Store
import Web

/// A value of an update request: a text, a list of tags, null for "leave it", or what no field takes.
enum UpdateValue: Decodable, Sendable {
    case none
    case text(String)
    case tags([Tag])
    case other

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .none
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let tags = try? container.decode([WireTag].self) {
            self = .tags(tags.map(\.tag))
        } else {
            // Refused by the field's name, which may be one that cannot be changed at all.
            self = .other
        }
    }

    var isNone: Bool { if case .none = self { true } else { false } }
    var isText: Bool { text != nil }
    var isTags: Bool { tags != nil }
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var tags: [Tag]? { if case .tags(let tags) = self { tags } else { nil } }
}

struct WireEvent: Encodable {
    var sequence: Int
    var createdDatetime: String
    var statusCode: String
    var message: String

    init(_ event: Event) {
        sequence = event.sequence
        createdDatetime = WireJSON.time(event.at)
        statusCode = event.phase
        message = event.message
    }
}

struct WireDependent: Encodable {
    var kind: String
    var id: String
    var name: String
    var statusCode: String

    init(_ record: Record) {
        kind = record.key.kind.rawValue
        id = record.key.id
        name = record.metadata.name
        statusCode = record.phase
    }
}
