import Control
import FeatureKit
import Foundation
import Identity
import ServiceLifecycle
import Synchronization

/// Where the server is reached, known only once both listeners have their ports.
final class Addresses: Sendable {
    private let host: String
    private let ports = Mutex<(plain: Int?, tls: Int?)>((nil, nil))
    private let (stream, continuation) = AsyncStream.makeStream(of: Void.self)

    init(host: String) { self.host = host.contains(":") ? "[\(host)]" : host }

    var isReady: Bool { ports.withLock { $0.plain != nil && $0.tls != nil } }
    var plain: String { "http://\(host):\(ports.withLock { $0.plain } ?? 0)" }
    var tls: String { "https://\(host):\(ports.withLock { $0.tls } ?? 0)" }

    var file: ServerFile {
        let (plain, tls) = ports.withLock { ($0.plain ?? 0, $0.tls ?? 0) }
        return ServerFile(pid: getpid(), port: plain, tlsPort: tls, url: self.plain, tlsURL: self.tls)
    }

    func started(plain port: Int) async {
        ports.withLock { $0.plain = port }
        if isReady { continuation.finish() }
    }

    func started(tls port: Int) async {
        ports.withLock { $0.tls = port }
        if isReady { continuation.finish() }
    }

    func waitUntilReady() async { for await _ in stream {} }
}

/// Says that the server is ready, once it is, and leaves `server.json` for its clients.
struct Announcement: Service {
    let addresses: Addresses
    let home: Home
    let directory: Directory
    let isFirst: Bool
    let notes: [String]
    let ready: @Sendable (StartSummary) -> Void

    func run() async throws {
        await addresses.waitUntilReady()
        let file = addresses.file
        try file.write(home: home)
        var link: String?
        if isFirst { link = try await LoginLink.make(directory, url: file.url, lifetime: 24 * 3600) }
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
