import AsyncHTTPClient
import NIOCore
import NIOHTTP1

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The server's object store, by the OpenStack Swift API.
struct StoreClient: Sendable {
    let api: API
    let info: StoreInfo
    private let token: StoreToken

    init(_ session: Session) async throws {
        api = session.api
        info = try StoreInfo(try await session.api.get("/storage"))
        token = StoreToken(api: session.api)
    }

    /// An `obs://` URI of this server, or `CONTAINER/path`.
    func parse(_ text: String) throws(CommandFailure) -> RemotePath {
        try info.parse(text, alsoKnownAs: api.connection.url)
    }

    /// Asked of the server that we talk to already, rather than of the host in its URIs: behind a proxy, or where the
    /// certificate is not trusted, only the former may be reachable.
    func url(_ place: RemotePath, _ query: [(String, String)] = []) -> String {
        let path = place.path.isEmpty ? "" : "/" + Percent.encodePath(place.path)
        let url =
            "\(api.connection.url)/v1/AUTH_\(Percent.encode(place.tenant))/\(Percent.encode(place.container))\(path)"
        return query.isEmpty ? url : "\(url)?\(Percent.query(query))"
    }

    func accountURL(_ query: [(String, String)]) -> String {
        "\(api.connection.url)/v1/AUTH_\(Percent.encode(info.tenant))?\(Percent.query(query))"
    }

    /// - Parameter body: made anew for each attempt.
    /// - Returns: a reply below 300.
    /// - Throws: `CommandFailure` with the store's refusal in words.
    @discardableResult
    func send(
        _ method: HTTPMethod, _ url: String, of place: RemotePath?, headers: HTTPHeaders = [:],
        timeout: TimeAmount = .seconds(120), body: (() -> HTTPClientRequest.Body)? = nil
    ) async throws -> HTTP.Reply {
        var used = try await token.current()
        var isRenewed = false
        while true {
            var headers = headers
            headers.replaceOrAdd(name: "x-auth-token", value: used)
            let reply = try await api.http.send(method, url, headers: headers, body: body?(), timeout: timeout)
            if (200..<300).contains(reply.status) { return reply }
            // A long copy may outlive its token.
            guard reply.status == 401, !isRenewed else {
                throw StoreRefusal(status: reply.status, text: reply.body, place: place)
            }
            used = try await token.renewed(after: used)
            isRenewed = true
        }
    }

    /// A reply whose body is read as it comes.
    func open(_ place: RemotePath) async throws -> HTTPClientResponse {
        var used = try await token.current()
        var isRenewed = false
        while true {
            let response = try await api.http.open(.GET, url(place), headers: ["x-auth-token": used])
            if response.status == .ok { return response }
            let text = try await response.body.collect(upTo: 1 << 20)
            guard response.status == .unauthorized, !isRenewed else {
                throw StoreRefusal(
                    status: Int(response.status.code), text: Data(text.readableBytesView), place: place)
            }
            used = try await token.renewed(after: used)
            isRenewed = true
        }
    }

    /// The headers of an object or a container; nil where there is no such thing.
    func head(_ place: RemotePath) async throws -> HTTPHeaders? {
        do {
            return try await send(.HEAD, url(place), of: place).headers
        } catch let refusal as StoreRefusal where refusal.status == 404 {
            return nil
        }
    }
}

/// One token for all requests, renewed once however many of them find it expired.
private actor StoreToken {
    private let api: API
    private var token: String?

    init(api: API) { self.api = api }

    func current() async throws -> String {
        if let token { return token }
        return try await fetch()
    }

    func renewed(after rejected: String) async throws -> String {
        if let token, token != rejected { return token }
        return try await fetch()
    }

    private func fetch() async throws -> String {
        let fresh = try await api.storeToken()
        token = fresh
        return fresh
    }
}

/// The store said no.
struct StoreRefusal: Error, CustomStringConvertible {
    var status: Int
    var text: String
    var place: String

    init(status: Int, text: Data, place: RemotePath?) {
        self.status = status
        self.text = Self.words(String(decoding: text.prefix(2000), as: UTF8.self))
        self.place = place?.short ?? "the account"
    }

    var description: String {
        switch status {
        case 401, 403: "\(place): access is refused"
        case 404: "\(place): there is no such object or container"
        case 409: "\(place): \(text.isEmpty ? "it is not empty" : text)"
        case 413: "\(place): too large for the store"
        case 507: "\(place): the server's disk is full"
        default: "\(place): the store answered \(status)\(text.isEmpty ? "" : ": \(text)")"
        }
    }

    /// Worth another try, with the same request.
    var isTransient: Bool {
        status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504
    }

    /// Swift answers in HTML where it answers in words at all.
    private static func words(_ text: String) -> String {
        var result = ""
        var isTag = false
        for character in text {
            switch character {
            case "<":
                isTag = true
                result.append(" ")
            case ">": isTag = false
            default: if !isTag { result.append(character) }
            }
        }
        return String(result.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(300))
    }
}
