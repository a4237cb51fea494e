import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Resource
import Synchronization

/// A client of one OpenStack Swift, logged in as the service's account there. `shutdown` must be called before the last
/// reference goes.
///
/// Calls that can be repeated are repeated after connection errors, 408, 429 and 5xx, with growing pauses; a token that
/// expired is renewed once per call. Errors are `TakumiError`: `.notFound`, `.forbidden`, `.unavailable` (the store cannot
/// be reached, or a disk is full), `.failed`.
package final class SwiftClient: Sendable {
    package let server: StorageConfiguration.ObjectServer
    let http: HTTPClient
    let token = Mutex<String?>(nil)
    let pauses: [Duration]

    /// - Parameter pauses: how long to wait before each repetition; as many repetitions as there are entries.
    /// - Throws: `.invalid` where the CA file cannot be read.
    package init(
        _ server: StorageConfiguration.ObjectServer,
        pauses: [Duration] = [.milliseconds(300), .seconds(1), .seconds(3), .seconds(8)]
    ) throws {
        self.server = server
        self.pauses = pauses
        if server.allowsHTTP != true && !server.authURL.hasPrefix("https://") {
            throw TakumiError.invalid(
                "authURL", "'\(server.authURL.excerpt)' is not https; set allowsHTTP to use it all the same")
        }
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: .seconds(10), read: .seconds(60), write: .seconds(60)))
        // Off, since it tries until the deadline, of which a transfer has none; `send` repeats a bounded number of times.
        configuration.connectionPool.retryConnectionEstablishment = false
        if let file = server.caFile {
            guard (try? NIOSSLCertificate.fromPEMFile(file))?.isEmpty == false else {
                throw TakumiError.invalid("caFile", "'\(file.excerpt)' has no PEM certificate that can be read")
            }
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.additionalTrustRoots = [.file(file)]
            configuration.tlsConfiguration = tls
        }
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func shutdown() async throws { try await http.shutdown() }

    /// `https://host/v1/AUTH_tenant/container/object?query`, each part percent-encoded.
    func url(_ container: ContainerPath, _ object: String? = nil, query: [(String, String)] = []) -> String {
        let scheme = server.allowsHTTP == true ? "http" : "https"
        var url =
            "\(scheme)://\(server.host)/v1/AUTH_\(container.tenant)/\(PercentEncoding.encode(container.container))"
        if let object { url += "/" + PercentEncoding.encode(object, keepingSlashes: true) }
        let pairs = query.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }
        return pairs.isEmpty ? url : url + "?" + pairs.joined(separator: "&")
    }
}

/// Percent-encoding of names in URLs.
package enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    package static func encode(_ text: String, keepingSlashes: Bool = false) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                encoded.append(byte)
            case UInt8(ascii: "/") where keepingSlashes: encoded.append(byte)
            default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// - Returns: nil where the result is not UTF-8. A `%` without two digits after it stands for itself.
    package static func decode(_ text: some StringProtocol) -> String? {
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
