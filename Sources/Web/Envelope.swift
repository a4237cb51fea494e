import Foundation
import Hummingbird
import NIOCore
import Resource

/// The vendor's response form: a header that says whether it worked, and the payload under one key beside it.
package enum Envelope {
    private static let head = #"{"header":{"isSuccessful":true,"resultCode":0,"resultMessage":"SUCCESS"}"#

    /// `{"header":…}` alone.
    package static func empty() -> Response { response(head + "}") }

    /// `{"header":…,"training":{…}}`.
    package static func one(_ key: String, _ value: some Encodable) throws -> Response {
        var buffer = ByteBuffer(string: head + ",\"\(key)\":")
        buffer.writeBytes(try WireJSON.encode(value))
        buffer.writeString("}")
        return response(buffer)
    }

    /// `{"header":…,"trainingList":[…],"totalCount":N}` from values that are encoded already.
    package static func list(_ key: String, encoded: [[UInt8]], total: Int) -> Response {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(encoded.reduce(200) { $0 + $1.count + 1 })
        buffer.writeString(head + ",\"totalCount\":\(total),\"\(key)\":[")
        for (index, item) in encoded.enumerated() {
            if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
            buffer.writeBytes(item)
        }
        buffer.writeString("]}")
        return response(buffer)
    }

    /// From bytes that are encoded already.
    package static func one(_ key: String, encoded: [UInt8]) -> Response {
        var buffer = ByteBuffer(string: head + ",\"\(key)\":")
        buffer.writeBytes(encoded)
        buffer.writeString("}")
        return response(buffer)
    }

    private static func response(_ text: String) -> Response { response(ByteBuffer(string: text)) }

    private static func response(_ buffer: ByteBuffer) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: buffer))
    }
}

/// How wire types are written.
package enum WireJSON {
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        Array(try encoder.encode(value))
    }

    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    /// `2026-11-21T10:03:31Z`, as all wire times are.
    package static func time(_ date: Date) -> String {
        date.formatted(.iso8601)
    }
}
