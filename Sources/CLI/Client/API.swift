import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// The REST API of one project.
struct API: Sendable {
    let http: HTTP
    let connection: Connection

    var headers: HTTPHeaders {
        ["authorization": "Bearer \(connection.token)", "accept-language": "en", "user-agent": "takumi-cli"]
    }

    /// - Parameter path: below the project, such as `/trainings`.
    func url(_ path: String, _ query: [(String, String)] = []) -> String {
        let base = "\(connection.url)/v1.0/appkeys/\(Percent.encode(connection.project))\(path)"
        return query.isEmpty ? base : "\(base)?\(Percent.query(query))"
    }

    /// - Returns: the whole envelope.
    /// - Throws: `ValidationErrors` with the server's refusals; `CommandFailure` where it cannot be reached.
    func call(
        _ method: HTTPMethod, _ path: String, query: [(String, String)] = [], body: JSONValue? = nil
    ) async throws -> JSONValue {
        var headers = headers
        var content: HTTPClientRequest.Body?
        if let body {
            headers.add(name: "content-type", value: "application/json")
            content = .bytes(ByteBuffer(string: JSONText.line(body)))
        }
        let reply = try await http.send(method, url(path, query), headers: headers, body: content)
        return try Envelope.open(status: reply.status, body: reply.body)
    }

    func get(_ path: String, _ query: [(String, String)] = []) async throws -> JSONValue {
        try await call(.GET, path, query: query)
    }

    /// A token for the object store, with what it is good for.
    func storeToken() async throws -> String {
        let project = Percent.encode(connection.project)
        let url = "\(connection.url)/token/v1.0/appkeys/\(project)/groups/cli/iaas-token"
        let reply = try await http.send(.GET, url, headers: headers)
        let envelope = try Envelope.open(status: reply.status, body: reply.body)
        guard let token = envelope["access"]["token"]["id"].string else {
            throw CommandFailure("the server gave no token for its object store")
        }
        return token
    }
}
