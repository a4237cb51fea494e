import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Requests to one server, with what every one of them needs said once.
struct HTTP: Sendable {
    struct Reply {
        var status: Int
        var headers: HTTPHeaders
        var body: Data
    }

    let client: HTTPClient
    /// What to say where nobody answers.
    let unreachable: @Sendable (String) -> CommandFailure

    /// Above this a reply is no resource but a mistake.
    static let replyLimit = 256 << 20

    static func configuration(caFile: String?) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let caFile { tls.additionalTrustRoots = [.file(caFile)] }
        // Redirects would carry the token to another host.
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        // A refused connection is an answer: nobody is there.
        configuration.connectionPool.retryConnectionEstablishment = false
        // A training of ten nodes is followed over ten connections, beside the question how it is.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        return configuration
    }

    /// - Throws: `CommandFailure` where the server cannot be reached or does not answer within `timeout`.
    func send(
        _ method: HTTPMethod, _ url: String, headers: HTTPHeaders = [:], body: HTTPClientRequest.Body? = nil,
        timeout: TimeAmount = .seconds(120)
    ) async throws -> Reply {
        do {
            let response = try await client.execute(
                request(method, url, headers, body), deadline: .now() + timeout)
            let buffer = try await response.body.collect(upTo: Self.replyLimit)
            return Reply(
                status: Int(response.status.code), headers: response.headers, body: Data(buffer.readableBytesView))
        } catch {
            throw explained(error, url)
        }
    }

    /// A reply whose body is read as it comes, for as long as it comes.
    func open(
        _ method: HTTPMethod, _ url: String, headers: HTTPHeaders = [:], body: HTTPClientRequest.Body? = nil
    ) async throws -> HTTPClientResponse {
        do {
            return try await client.execute(request(method, url, headers, body), deadline: .distantFuture)
        } catch {
            throw explained(error, url)
        }
    }

    private func request(
        _ method: HTTPMethod, _ url: String, _ headers: HTTPHeaders, _ body: HTTPClientRequest.Body?
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers = headers
        request.body = body
        return request
    }

    private func explained(_ error: any Error, _ url: String) -> any Error {
        switch error {
        case is CancellationError: error
        case let error as HTTPClientError where error == .cancelled: CancellationError()
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
            CommandFailure.unavailable("the server did not answer in time")
        case is CommandFailure: error
        case is NIOSSLError where String(describing: error).contains("CERTIFICATE_VERIFY_FAILED"):
            CommandFailure(
                "the server's certificate is of an authority that is not trusted here; give it with --ca-file")
        case is NIOSSLError, is NIOSSLExtraError: CommandFailure("no TLS connection to the server: \(error)")
        case let error as HTTPClientError where error == .connectTimeout: unreachable(Self.cause(error))
        // Both are of the attempt to connect; what breaks later comes as an error of the client.
        case is NIOConnectionError, is IOError: unreachable(Self.cause(error))
        default: CommandFailure.unavailable("the connection to the server broke: \(Self.cause(error))")
        }
    }

    private static func cause(_ error: any Error) -> String {
        if let error = error as? HTTPClientError { return error.shortDescription }
        if let error = error as? NIOConnectionError, let first = error.connectionErrors.first {
            return cause(first.error)
        }
        return (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? String(describing: error)
    }
}
