import Foundation

/// A JSON value that tells whole numbers from others.
enum JSON: Decodable, Equatable, Sendable {
    case null
    case bool(Bool)
    case whole(Int)
    case real(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let fields = try? decoder.container(keyedBy: Key.self) {
            var object: [String: JSON] = [:]
            for key in fields.allKeys { object[key.stringValue] = try fields.decode(JSON.self, forKey: key) }
            self = .object(object)
            return
        }
        if var list = try? decoder.unkeyedContainer() {
            var array: [JSON] = []
            while !list.isAtEnd { array.append(try list.decode(JSON.self)) }
            self = .array(array)
            return
        }
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let whole = try? value.decode(Int.self) {
            self = .whole(whole)
        } else if let real = try? value.decode(Double.self) {
            self = .real(real)
        } else {
            self = .string(try value.decode(String.self))
        }
    }

    init(parsing data: Data) throws { self = try JSONDecoder().decode(JSON.self, from: data) }

    var text: String {
        switch self {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .whole(let whole): "\(whole)"
        case .real(let real): "\(real)"
        case .string(let string): "\"\(string.replacingOccurrences(of: "\"", with: "\\\""))\""
        case .array(let array): "[\(array.map(\.text).joined(separator: ","))]"
        case .object(let object):
            "{\(object.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value.text)" }.joined(separator: ","))}"
        }
    }

    /// The bytes of a string that is a literal of Python's.
    var bytes: [UInt8] {
        guard case .string(let literal) = self else { return [] }
        var bytes: [UInt8] = []
        var rest = literal.utf8.dropFirst(2).dropLast()[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            if kind == UInt8(ascii: "x") {
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(kind == UInt8(ascii: "n") ? 10 : kind)
            }
        }
        return bytes
    }

    func with(_ key: String, _ value: JSON) -> JSON {
        guard case .object(var object) = self else { return self }
        object[key] = value
        return .object(object)
    }

    /// An id made by a server differs each time.
    var withoutMadeID: JSON {
        guard case .object(let object) = self, case .string(let id)? = object["id"], id.count == 36 else { return self }
        return with("id", .string("made"))
    }
}
