import AsyncHTTPClient
import Foundation
import NIOCore
import Resource

/// Asks a program on a port of this machine: whether it answers, and ours JSON for JSON.
package struct PortClient: Sendable {
    private let client: HTTPClient

    package init(client: HTTPClient) { self.client = client }

    /// Gets a path, of at most 4 MiB.
    /// - Throws: `unavailable` where nothing answers within 5 s.
    package func get(port: Int, path: String, token: String) async throws -> (status: Int, body: Data) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.headers.add(name: "Authorization", value: "token \(token)")
        do {
            let answer = try await client.execute(request, timeout: .seconds(5))
            let bytes = try await answer.body.collect(upTo: 4 << 20)
            return (Int(answer.status.code), Data(bytes.readableBytesView))
        } catch {
            throw TakumiError(.unavailable, "the program on port \(port) does not answer (\(error))")
        }
    }

    /// Whether something on the port answers with a success.
    package func answers(port: Int, path: String) async -> Bool {
        let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        guard let answer = try? await client.execute(request, timeout: .seconds(2)) else { return false }
        return answer.status.code < 400
    }

    /// Posts a body and returns the answer's status and body, of at most 64 MiB.
    /// - Throws: `unavailable` where nothing answers.
    package func post(_ body: Data, port: Int, path: String, token: String, limit: TimeAmount = .seconds(60))
        async throws -> (status: Int, body: Data)
    {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let answer = try await client.execute(request, timeout: limit)
            let bytes = try await answer.body.collect(upTo: 64 << 20)
            return (Int(answer.status.code), Data(bytes.readableBytesView))
        } catch {
            throw TakumiError(.unavailable, "the program on port \(port) does not answer (\(error))")
        }
    }
}
