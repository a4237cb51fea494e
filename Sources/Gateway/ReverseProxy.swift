import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import Resource

/// Passes requests on to a server on this machine, streaming both ways.
///
/// Knows ports, not resources: whoever calls has decided that the caller may go there. Nothing that identifies the caller
/// to Takumi reaches the other side, which may run a user's code.
package struct ReverseProxy: Sendable {
    private let client: HTTPClient
    private static let identifying: Set<String> = [
        "cookie", "authorization", "x-easymaker-token", "x-nhn-authorization",
    ]
    /// Headers that belong to one connection and not to the message (RFC 9110, 7.6.1).
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
        "upgrade", "host",
    ]

    package init(client: HTTPClient) { self.client = client }

    /// - Parameter limit: how long to wait for the response's head.
    /// - Throws: `unavailable` where nothing answers on the port.
    package func forward(_ request: Request, toPort port: Int, limit: TimeAmount = .seconds(60)) async throws
        -> Response
    {
        var outgoing = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(request.uri.string)")
        outgoing.method = NIOHTTP1.HTTPMethod(rawValue: request.method.rawValue)
        for field in request.headers where !ReverseProxy.isDropped(field.name.canonicalName) {
            outgoing.headers.add(name: field.name.rawName, value: field.value)
        }
        if let length = request.headers[.contentLength].flatMap({ Int64($0) }) {
            outgoing.body = .stream(request.body, length: .known(length))
        } else if request.headers[.transferEncoding] != nil {
            outgoing.body = .stream(request.body, length: .unknown)
        }
        let answer: HTTPClientResponse
        do {
            answer = try await client.execute(outgoing, timeout: limit)
        } catch {
            throw TakumiError(.unavailable, "the program behind this address does not answer (\(error)); try again")
        }
        var headers = HTTPFields()
        // A cookie counts for the whole host: a program must not replace the console's.
        for (name, value) in answer.headers
        where !ReverseProxy.hopByHop.contains(name.lowercased()) && name.lowercased() != "set-cookie" {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        return Response(
            status: .init(code: Int(answer.status.code)), headers: headers,
            body: ResponseBody(asyncSequence: answer.body))
    }

    /// Whether something on the port answers with a success.
    package func answers(port: Int, path: String) async -> Bool {
        let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        guard let answer = try? await client.execute(request, timeout: .seconds(2)) else { return false }
        return answer.status.code < 400
    }

    private static func isDropped(_ name: String) -> Bool { hopByHop.contains(name) || identifying.contains(name) }
}
