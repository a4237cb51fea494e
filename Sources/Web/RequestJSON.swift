import Foundation
import Hummingbird
import NIOCore
import Resource

extension Request {
    /// The body as JSON, whatever content type the client claims.
    ///
    /// Not Hummingbird's `decode`, which turns a decoder's error into a text and loses which field it was.
    /// - Throws: `tooLarge` past the context's limit, else the `DecodingError`, which `ErrorEnvelope` explains.
    package func json<T: Decodable>(_ type: T.Type, context: TakumiContext) async throws -> T {
        let buffer = try await body.collect(upTo: context.maxUploadSize)
        guard buffer.readableBytes > 0 else { throw TakumiError(.invalid, "the body is empty; send a JSON object") }
        return try JSONDecoder().decode(type, from: Data(buffer: buffer))
    }
}
