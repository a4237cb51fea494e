import ArgumentParser
import Foundation
import Logging
import Resource

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the server in the foreground until SIGTERM or Ctrl-C.")

    @Option(help: "The folder that holds everything. [env: TAKUMI_HOME] (default: ~/.takumi)")
    var home: String?
    @Option(help: "Port of the console and the API; 0 for any free one.")
    var port = 8400
    @Option(help: "Port of the same and of the object store, with TLS; 0 for any free one.")
    var tlsPort = 8443
    @Option(
        help: ArgumentHelp(
            "Port of users' programs such as TensorBoard, with TLS; 0 for any free one.",
            discussion: "Without it: 8444, or any free one beside a --tls-port of your own."))
    var appsPort: Int?
    @Option(
        help: ArgumentHelp(
            "Port of the gateway, where endpoints answer; 0 for any free one.",
            discussion: "With TLS, and from this machine without, too. Without it: 8445, or any free one as above."))
    var gatewayPort: Int?
    @Option(help: "The address to listen on (default: 127.0.0.1, or `host` of config.yaml).")
    var host: String?
    @Option(help: "trace, debug, info, notice, warning or error.")
    var logLevel = "notice"
    @Option(help: "How to print where the server is: table (text for people) or json (one line).")
    var output = AccessOptions.Format.table

    /// A port beside the usual ones, unless something has it already: nobody has asked for this very port.
    private func usual(_ port: Int) -> Int {
        guard tlsPort == 8443 else { return 0 }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = INADDR_ANY
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isFree = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) } == 0
        }
        return isFree ? port : 0
    }

    func validate() throws {
        for (name, value) in [
            ("--port", port), ("--tls-port", tlsPort), ("--apps-port", appsPort ?? 0),
            ("--gateway-port", gatewayPort ?? 0),
        ] where !(0...65535).contains(value) {
            throw ValidationError("\(name) \(value) is out of range; use 0 to 65535")
        }
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError(
                "--log-level '\(logLevel)' is not known; use trace, debug, info, notice, warning or error")
        }
    }

    func run() async throws {
        // A client that goes away must not end the server.
        signal(SIGPIPE, SIG_IGN)
        var logger = Logger(label: "takumi") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .notice
        do {
            let home = try Home(home)
            let configuration = try Configuration.load(home: home)
            let server = try await Server(
                home: home, configuration: configuration, host: host ?? configuration.host,
                ports: Ports(
                    plain: port, tls: tlsPort, apps: appsPort ?? usual(8444), gateway: gatewayPort ?? usual(8445)),
                logger: logger)
            try await server.run { summary in
                // Not print: a pipe is buffered, and whoever started the server waits for this.
                try? FileHandle.standardOutput.write(
                    contentsOf: Data(((output == .json ? summary.json : summary.text) + "\n").utf8))
            }
        } catch let error as TakumiError {
            try? FileHandle.standardError.write(contentsOf: Data("error: \(error.line)\n".utf8))
            throw ExitCode(1)
        }
    }
}

/// What the start tells whoever started it.
struct StartSummary: Sendable {
    var file: ServerFile
    var home: String
    var loginLink: String?
    var notes: [String]

    var text: String {
        var lines = [
            "Takumi is ready at \(file.url)  (with TLS, and the object store: \(file.tlsURL))",
            "  home       \(home)",
            "  authority  \(home)/ca.pem",
        ]
        if let loginLink { lines.append("  log in     \(loginLink)  (once, within a day; again with: takumi login)") }
        lines += notes.map { "  note       \($0)" }
        return lines.joined(separator: "\n")
    }

    var json: String {
        let fields: [String: String] = [
            "url": file.url, "tlsURL": file.tlsURL, "appsURL": file.appsURL, "gatewayURL": file.gatewayURL,
            "home": home, "login": loginLink ?? "",
        ]
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: (try? encoder.encode(fields)) ?? Data(), as: UTF8.self)
    }
}
