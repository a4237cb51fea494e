import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import ModelServer

/// A real HTTP front on a port, and behind its core a model as simple as the one that was recorded: it adds up rows, gives
/// back inputs of other names, and fails where the input's name asks for it.
final class WireServer: Sendable {
    struct Answer: Sendable {
        var status = 0
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        var json: JSON { (try? JSON(parsing: Data(body))) ?? .null }
    }

    static let shared = SharedServer()

    private let port: Int

    init() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let bound = loop.submit {
            let core = Core(name: "m", limits: Core.Limits(), loop: loop)
            let link = NotingLink()
            link.onFrame = { header, body in
                loop.assumeIsolated().execute {
                    do {
                        let (header, body) = try RecordedModel.answer(header, body)
                        try core.receive(header: header, body: body)
                    } catch {
                        Issue.record("\(error)")
                    }
                }
            }
            var model = ModelDescription()
            model.explain = true
            model.headers = false
            model.inputs = [.init(name: "input-0", datatype: "FP32", shape: [-1, 2])]
            model.outputs = [.init(name: "output-0", datatype: "FP32", shape: [-1])]
            core.workerIsReady(model, link: link)
            return HTTPListener.bind(
                HTTPService(core: core, bodyMemory: BodyMemory(largest: 1 << 20, podMiB: nil), threads: .singleton),
                port: 0)
        }
        port = try await bound.get().get().localAddress?.port ?? 0
    }

    func exchange(_ method: String, _ path: String, _ headers: [String: String]?, _ body: [UInt8]) async throws
        -> Answer
    {
        var request = "\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers ?? [:] { request += "\(name): \(value)\r\n" }
        return try WireServer.parse(try await send(Array("\(request)\r\n".utf8) + body))
    }

    /// Sends bytes and collects everything until the server closes.
    func send(_ bytes: [UInt8]) async throws -> [UInt8] {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let collected = loop.makePromise(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(collected))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
        return try await collected.futureResult.get()
    }

    static func parse(_ bytes: [UInt8]) throws -> Answer {
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else {
            throw ServingError(500, "no head: \(String(decoding: bytes, as: UTF8.self))")
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        var answer = Answer(status: Int(lines[0].split(separator: " ")[1]) ?? 0)
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            answer.headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        answer.body = Array(bytes[(end + 4)...])
        return answer
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var bytes: [UInt8] = []
        private let done: EventLoopPromise<[UInt8]>
        init(_ done: EventLoopPromise<[UInt8]>) { self.done = done }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += Array(unwrapInboundIn(data).readableBytesView)
        }
        func channelInactive(context: ChannelHandlerContext) { done.succeed(bytes) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// One server for all cases.
actor SharedServer {
    private var server: WireServer?

    func get() async throws -> WireServer {
        if let server { return server }
        let made = try await WireServer()
        server = server ?? made
        return server ?? made
    }
}

/// What the recorded server's model did.
enum RecordedModel {
    private struct Call: Decodable {
        struct Input: Decodable {
            var name: String
            var datatype: String
            var shape: [Int]
            var size: Int
        }
        var call: Int
        var `protocol`: String
        var verb: String
        var inputs: [Input]?
    }

    static func answer(_ header: String, _ body: ByteBuffer) throws -> (ByteBuffer, ByteBuffer) {
        let call = try JSONDecoder().decode(Call.self, from: Data(header.utf8))
        if call.verb == "explain" {
            let json = #"{"explanations":[1]}"#
            return (
                ByteBuffer(string: #"{"call":\#(call.call),"items":[{"json":\#(json.utf8.count)}]}"#),
                ByteBuffer(string: json)
            )
        }
        guard let input = call.inputs?.first else { throw ServingError(500, "no input") }
        switch input.name {
        case "boom": return error(call.call, "model blew up")
        case "valueerr": return error(call.call, "ValueError : bad value")
        case "instances", "input-0": return sums(call.call, input, body)
        default: return output(call.call, input.datatype, input.shape, body)
        }
    }

    private static func sums(_ call: Int, _ input: Call.Input, _ body: ByteBuffer) -> (ByteBuffer, ByteBuffer) {
        var body = body
        var sums = ByteBuffer()
        for _ in 0..<input.shape[0] {
            if input.datatype == "FP32" {
                let row = (0..<input.shape[1]).map { _ in
                    Float(bitPattern: body.readInteger(endianness: .little, as: UInt32.self) ?? 0)
                }
                sums.writeInteger(row.reduce(0, +).bitPattern, endianness: .little)
            } else {
                let row = (0..<input.shape[1]).map { _ in body.readInteger(endianness: .little, as: Int64.self) ?? 0 }
                sums.writeInteger(row.reduce(0, +), endianness: .little)
            }
        }
        return output(call, input.datatype, [input.shape[0]], sums)
    }

    private static func output(
        _ call: Int, _ datatype: String, _ shape: [Int], _ body: ByteBuffer
    ) -> (ByteBuffer, ByteBuffer) {
        let header =
            #"{"call":\#(call),"outputs":[{"name":"output-0","datatype":"\#(datatype)","shape":\#(shape),"#
            + #""size":\#(body.readableBytes)}]}"#
        return (ByteBuffer(string: header), body)
    }

    private static func error(_ call: Int, _ sentence: String) -> (ByteBuffer, ByteBuffer) {
        (ByteBuffer(string: #"{"call":\#(call),"items":[{"error":"\#(sentence)","status":500}]}"#), ByteBuffer())
    }
}
