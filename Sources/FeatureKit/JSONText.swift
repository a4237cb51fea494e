import Foundation

/// JSON that is passed on as it came.
package struct JSONText: Codable, Sendable, Equatable {
    private indirect enum Value: Codable, Sendable, Equatable {
        case object([String: Value])
        case array([Value])
        case text(String)
        case number(Double)
        case bool(Bool)
        case null

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else if let value = try? container.decode(String.self) {
                self = .text(value)
            } else if let value = try? container.decode([Value].self) {
                self = .array(value)
            } else {
                self = .object(try container.decode([String: Value].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .object(let value): try container.encode(value)
            case .array(let value): try container.encode(value)
            case .text(let value): try container.encode(value)
            case .number(let value): try container.encode(value)
            case .bool(let value): try container.encode(value)
            case .null: try container.encodeNil()
            }
        }

        var isEmpty: Bool { self == .null || self == .object([:]) }
    }

    private var value: Value

    package init(from decoder: any Decoder) throws { value = try Value(from: decoder) }
    package func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }

    /// - Parameter text: what `text` gave.
    package init?(text: String) {
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(text.utf8)) else { return nil }
        self.value = value
    }

    package var isNull: Bool { value == .null }

    /// nil where there is nothing in it.
    package var text: String? {
        guard !value.isEmpty, let data = try? JSONEncoder().encode(value) else { return nil }
        return String(decoding: data, as: UTF8.self)
    }
}
