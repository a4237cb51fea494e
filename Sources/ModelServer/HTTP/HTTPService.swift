import Foundation
import NIOCore
import NIOPosix

/// What all connections share.
final class HTTPService {
    /// How long a request's body may stand still.
    static let patience = TimeAmount.seconds(60)

    let core: Core
    let threads: NIOThreadPool
    let router: Router
    let parser: BodyParser
    let started = Int(Date().timeIntervalSince1970)
    var bodyMemory: BodyMemory
    /// Connections end with their current request.
    private(set) var isDraining = false
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var date = (second: 0, text: "")
    private var random = SystemRandomNumberGenerator()

    init(core: Core, bodyMemory: BodyMemory, threads: NIOThreadPool) {
        self.core = core
        self.threads = threads
        self.bodyMemory = bodyMemory
        router = Router(name: core.name)
        parser = BodyParser(model: core.name)
    }

    func add(_ connection: HTTPConnection) { connections[ObjectIdentifier(connection)] = connection }
    func remove(_ connection: HTTPConnection) { connections[ObjectIdentifier(connection)] = nil }
    var hasBusyConnections: Bool { connections.values.contains(where: \.isBusy) }

    /// Looks for requests that do not come on, now and from now on.
    func sweep() {
        let limit = NIODeadline.now() - HTTPService.patience
        for connection in connections.values { connection.endIfStalled(since: limit) }
        core.loop.assumeIsolated().scheduleTask(in: .seconds(5)) { [self] in sweep() }
    }

    func drain() { isDraining = true }
    func closeAll() { for connection in connections.values { connection.close() } }

    /// The `Date` header's value, made once a second.
    func dateText() -> String {
        var now = time(nil)
        guard now != date.second else { return date.text }
        var parts = tm()
        gmtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 40)
        strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        date = (now, String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        return date.text
    }

    /// An id for a request that came without one.
    func newID() -> String {
        let high = random.next()
        let low = random.next()
        var text = String(high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, radix: 16)
        text = String(repeating: "0", count: 16 - text.count) + text
        var tail = String(low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000, radix: 16)
        tail = String(repeating: "0", count: 16 - tail.count) + tail
        return
            "\(text.prefix(8))-\(text.dropFirst(8).prefix(4))-\(text.dropFirst(12))-\(tail.prefix(4))-\(tail.dropFirst(4))"
    }

    // MARK: - What needs no model

    /// The body of a route that is answered at once.
    func answer(_ route: Route, to body: inout ByteBuffer) throws(ServingError) -> StaticString {
        switch route {
        case .alive: body.writeStaticString(#"{"status":"alive"}"#)
        case .v1Models, .v2Models:
            body.writeStaticString(#"{"models":["#)
            body.writeJSON(core.name)
            body.writeStaticString("]}")
        case .v2Server:
            body.writeStaticString(#"{"name":"takumi","version":"1","extensions":["binary_tensor_data"]}"#)
        case .v2Live: body.writeStaticString(#"{"live":true}"#)
        case .v2Ready:
            _ = try ready()
            body.writeStaticString(#"{"ready":true}"#)
        case .v1Model, .v2ModelReady:
            _ = try ready()
            body.writeStaticString(#"{"name":"#)
            body.writeJSON(core.name)
            body.writeStaticString(#","ready":true}"#)
        case .v2Model: writeMetadata(try ready(), to: &body)
        case .openAIModels:
            guard try ready().generative else {
                throw ServingError(501, "Model with name \(core.name) does not generate text.")
            }
            body.writeStaticString(#"{"object":"list","data":[{"id":"#)
            body.writeJSON(core.name)
            body.writeString(#","object":"model","created":\#(started),"owned_by":"takumi"}]}"#)
        case .metrics:
            body.writeString(core.metrics.text(queue: core.queueLength))
            return "text/plain; version=0.0.4; charset=utf-8"
        case .v1Infer, .v2Infer, .openAI, .byBody: break
        }
        return "application/json"
    }

    private func ready() throws(ServingError) -> ModelDescription {
        guard let description = core.description else { throw core.notReady }
        return description
    }

    private func writeMetadata(_ description: ModelDescription, to body: inout ByteBuffer) {
        body.writeStaticString(#"{"name":"#)
        body.writeJSON(core.name)
        body.writeStaticString(#","versions":null,"platform":"#)
        body.writeJSON(description.platform)
        for (key, ports) in [("inputs", description.inputs), ("outputs", description.outputs)] {
            body.writeString(#","\#(key)":["#)
            for (index, port) in ports.enumerated() {
                body.writeStaticString(index > 0 ? #",{"name":"# : #"{"name":"#)
                body.writeJSON(port.name)
                body.writeStaticString(#","datatype":"#)
                body.writeJSON(port.datatype)
                body.writeStaticString(#","shape":"#)
                body.writeDecimals(port.shape)
                body.writeInteger(UInt8(ascii: "}"))
            }
            body.writeInteger(UInt8(ascii: "]"))
        }
        body.writeInteger(UInt8(ascii: "}"))
    }
}
