import Control
import FeatureKit
import Foundation
import Identity
import ServiceLifecycle
import Synchronization

/// Where the server is reached, known only once all listeners have their ports.
final class Addresses: Sendable {
    private let host: String
    private let ports = Mutex<[Listener: Int]>([:])
    private let (stream, continuation) = AsyncStream.makeStream(of: Void.self)

    init(host: String) { self.host = host.contains(":") ? "[\(host)]" : host }

    /// The doors of the server.
    enum Listener: CaseIterable {
        /// API and console.
        case plain
        /// The same, and the object store, with TLS.
        case tls
        /// Users' programs, with TLS: another origin than the console's.
        case apps
        /// Inference requests to endpoints.
        case gateway
    }

    var isReady: Bool { ports.withLock { $0.count == Listener.allCases.count } }
    var plain: String { "http://\(host):\(port(.plain))" }
    var tls: String { "https://\(host):\(port(.tls))" }
    var apps: String { "https://\(host):\(port(.apps))" }
    /// Without a scheme, as the vendor's SDK wants it.
    var gatewayHost: String { "\(host):\(port(.gateway))" }
    var gateway: String { "https://\(gatewayHost)" }

    /// Where a browser without a session is sent to: off this machine never without TLS.
    var console: String { ["127.0.0.1", "localhost", "[::1]"].contains(host) ? plain : tls }

    private func port(_ listener: Listener) -> Int { ports.withLock { $0[listener] ?? 0 } }

    var file: ServerFile {
        ServerFile(
            pid: getpid(), port: port(.plain), tlsPort: port(.tls), appsPort: port(.apps),
            gatewayPort: port(.gateway), url: plain, tlsURL: tls, appsURL: apps, gatewayURL: gateway)
    }

    func started(_ listener: Listener, port: Int) async {
        ports.withLock { $0[listener] = port }
        if isReady { continuation.finish() }
    }

    func waitUntilReady() async { for await _ in stream {} }
}

/// Says that the server is ready, once it is, and leaves `server.json` for its clients.
struct Announcement: Service {
    let addresses: Addresses
    let home: Home
    let directory: Directory
    /// Who gets a link to log in, at the very first start.
    let firstUser: User?
    let notes: [String]
    let ready: @Sendable (StartSummary) -> Void

    func run() async throws {
        await addresses.waitUntilReady()
        let file = addresses.file
        try file.write(home: home)
        var link: String?
        if let firstUser {
            link = try await LoginLink.make(directory, for: firstUser, url: file.url, lifetime: 24 * 3600)
        }
        ready(StartSummary(file: file, home: home.path, loginLink: link, notes: notes))
        try await gracefulShutdown()
    }
}

/// Breaks the circle between the engine, whose news wake the controller, and the controller, whose reconcilers use the
/// engine: the engine is built first and learns of the controller afterwards.
final class LateController: Sendable {
    private let controller = Mutex<Controller?>(nil)

    var value: Controller? { controller.withLock { $0 } }
    func set(_ value: Controller) { controller.withLock { $0 = value } }
}
