import AsyncHTTPClient
import NIOCore
import NIOHTTP1

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The gateway, where endpoints answer. It knows no tokens of the API: a stage's own keys are all that it asks for.
struct GatewayClient: Sendable {
    private let http: HTTP

    init(_ session: Session) {
        http = HTTP(client: session.api.http.client) { cause in .unavailable("cannot reach the gateway: \(cause)") }
    }

    /// What a model says of itself; null where it does not.
    /// - Parameter url: the resource's, which ends with the name that the model is served by.
    func metadata(at url: String) async -> JSONValue {
        let name = url[(url.lastIndex(of: "/") ?? url.startIndex)...]
        let reply = try? await http.send(.GET, "\(url)/v2/models\(name)", timeout: .seconds(5))
        guard let reply, reply.status == 200 else { return .null }
        return (try? JSONValue(parsing: reply.body)) ?? .null
    }

    /// Asks for a prediction.
    /// - Parameter emit: gets the answer as it comes, cut at ends of lines.
    /// - Throws: `CommandFailure` with the refusal in words.
    func ask(_ url: String, _ body: Data, key: String?, _ emit: (String) -> Void) async throws {
        var headers: HTTPHeaders = ["content-type": "application/json", "user-agent": "takumi-cli"]
        if let key { headers.add(name: "x-api-key", value: key) }
        let response = try await http.open(.POST, url, headers: headers, body: .bytes(ByteBuffer(bytes: body)))
        guard (200..<300).contains(response.status.code) else {
            let text = try await response.body.collect(upTo: 1 << 20)
            throw Self.refusal(Int(response.status.code), Data(text.readableBytesView))
        }
        var partial: [UInt8] = []
        for try await buffer in response.body {
            partial += buffer.readableBytesView
            guard let end = partial.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            emit(String(decoding: partial[...end], as: UTF8.self))
            partial.removeSubrange(...end)
        }
        if !partial.isEmpty { emit(String(decoding: partial, as: UTF8.self) + "\n") }
    }

    /// Of KServe's form, `{"error": "…"}`, of OpenAI's, `{"error": {"message": "…"}}`, and of anything else.
    static func refusal(_ status: Int, _ body: Data) -> CommandFailure {
        let error = ((try? JSONValue(parsing: body)) ?? .null)["error"]
        let text = error.string ?? error["message"].string ?? String(decoding: body.prefix(500), as: UTF8.self).trimmed
        let hint = status == 401 ? " (give it with --key)" : ""
        return CommandFailure("the endpoint answered \(status): \(text.isEmpty ? "no reason" : text)\(hint)")
    }
}
