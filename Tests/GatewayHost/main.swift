import Dispatch
import Foundation
import Gateway
import Logging
import ServiceLifecycle

// For tests of the gateway: serves the table of a JSON file, and reads it again on SIGHUP.

struct TableFile: Decodable {
    struct Stage: Decodable {
        struct Resource: Decodable {
            var name: String
            var backends: [Pod]?
            var hold: Int?
        }
        struct Pod: Decodable {
            var id: String
            var port: Int
        }
        struct Share: Decodable {
            var stage: String
            var percent: Int
        }
        struct Rate: Decodable {
            var perSecond: Int
            var burst: Int
        }
        struct Log: Decodable {
            var appKey: String
            var endpointID: String
            var stageID: String
            var file: String
        }
        var id: String
        var prefixes: [String]
        var resources: [Resource]?
        var canaries: [Share]?
        var shadows: [Share]?
        var keys: [String]?
        var rate: Rate?
        var log: Log?
    }
    var stages: [Stage]

    var table: RouteTable {
        func shares(_ shares: [Stage.Share]?) -> [StageRoute.Share] {
            (shares ?? []).map { StageRoute.Share(stage: $0.stage, percent: $0.percent) }
        }
        return RouteTable(
            stages: stages.map { stage in
                StageRoute(
                    id: stage.id, prefixes: stage.prefixes,
                    resources: (stage.resources ?? []).map { resource in
                        ResourceRoute(
                            name: resource.name,
                            backends: (resource.backends ?? []).map { Backend(id: $0.id, port: $0.port) },
                            hold: resource.hold ?? 0)
                    },
                    canaries: shares(stage.canaries), shadows: shares(stage.shadows), keys: stage.keys ?? [],
                    rate: stage.rate.map { StageRoute.RateLimit(perSecond: $0.perSecond, burst: $0.burst) },
                    log: stage.log.map {
                        InferenceLogFields(
                            appKey: $0.appKey, endpointID: $0.endpointID, stageID: $0.stageID, file: $0.file)
                    })
            })
    }
}

func say(_ text: String) { try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8)) }

var options: [String: String] = [:]
var arguments = CommandLine.arguments.dropFirst()
while let name = arguments.popFirst(), let value = arguments.popFirst() { options[name] = value }
guard let file = options["--table"], let certificate = options["--certificate"], let key = options["--key"] else {
    say(
        "usage: DevGateway --table FILE --certificate PEM --key PEM [--host H] [--port N] [--threads N]"
            + " [--statistics DIR] [--body-limit BYTES] [--timeout SECONDS]"
            + " [--gate FILE [--apps-port N] [--apps-timeout SECONDS] [--check MILLISECONDS]]")
    exit(2)
}
@MainActor func number(_ name: String, _ fallback: Int) -> Int { options[name].flatMap { Int($0) } ?? fallback }
signal(SIGPIPE, SIG_IGN)
let logger = Logger(label: "gateway") { StreamLogHandler.standardError(label: $0) }
let gateway = try Gateway(
    GatewaySettings(
        host: options["--host"] ?? "127.0.0.1", port: number("--port", 0), certificate: certificate, key: key,
        statistics: options["--statistics"] ?? "\(NSTemporaryDirectory())/gateway-\(getpid())",
        threads: number("--threads", 2), bodyLimit: number("--body-limit", 1 << 30), timeout: number("--timeout", 120)),
    logger: logger, started: { say("port \($0)") }, wanted: { say("wanted \($0) \($1)") })

if let gate = options["--gate"] {
    gateway.open(
        AppsDoor(
            port: number("--apps-port", 0), gate: FileGate(file: gate),
            checkInterval: .milliseconds(number("--check", 5000)), timeout: .seconds(number("--apps-timeout", 600)),
            started: { say("apps-port \($0)") }))
}

@Sendable func publish() {
    do {
        let data = try Data(contentsOf: URL(fileURLWithPath: file))
        gateway.publish(try JSONDecoder().decode(TableFile.self, from: data).table)
        say("published")
    } catch {
        say("error \(error)")
    }
}
publish()

func source(_ number: Int32, _ handler: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: handler)
    source.resume()
    return source
}
let hangUp = source(SIGHUP) { publish() }
// Prints what is counted: for each argument line of the file, in flight by backend and statistics by stage.
let counts = source(SIGUSR1) {
    guard let data = FileManager.default.contents(atPath: file),
        let table = try? JSONDecoder().decode(TableFile.self, from: data).table
    else { return }
    for stage in table.stages {
        let minutes = gateway.statistics(of: stage.id).minutes
        let sums = minutes.reduce((0, 0, 0)) { ($0.0 + $1.succeeded, $0.1 + $1.refused, $0.2 + $1.failed) }
        say("stage \(stage.id) \(sums.0) \(sums.1) \(sums.2)")
        for resource in stage.resources {
            say("requests \(stage.id) \(resource.name) \(gateway.requests(of: stage.id, resource: resource.name))")
            for backend in resource.backends { say("inflight \(backend.id) \(gateway.inFlight(backend.id))") }
        }
    }
    say("counted")
}
let services = ServiceGroup(
    services: [gateway], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
try await services.run()
withExtendedLifetime((hangUp, counts)) {}
