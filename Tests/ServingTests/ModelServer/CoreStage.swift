import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import ModelServer

/// A core on an event loop of its own, with a worker that only takes notes.
struct CoreStage {
    /// What lives on the loop.
    final class Inside {
        let core: Core
        let link = NotingLink()
        private(set) var ears: [String: Ear] = [:]

        init(core: Core) {
            self.core = core
            // The core may end its worker when it goes itself.
            link.onKill = { [weak self] in
                guard let self, heardBeforeKill == nil else { return }
                heardBeforeKill = ears.values.count { !$0.events.isEmpty }
            }
        }

        /// How many had been answered when the process was first ended.
        private(set) var heardBeforeKill: Int?

        /// Submits a request under a name.
        func submit(_ name: String, _ request: InferenceRequest) throws {
            let ear = Ear()
            ears[name] = ear
            ear.id = try core.submit(request, for: ear)
        }

        func cancel(_ name: String) { if let id = ears[name]?.id { core.cancel(id) } }

        func heard(_ name: String) -> [String] { ears[name]?.events ?? [] }

        func answer(_ header: String, body: [UInt8] = []) throws {
            try core.receive(header: ByteBuffer(string: header), body: ByteBuffer(bytes: body))
        }
    }

    let loop: any EventLoop
    private let inside: NIOLoopBound<Inside>

    init(_ limits: Core.Limits = Core.Limits(), ready: Bool = true, description: ModelDescription? = nil) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        inside = try await loop.submit {
            let inside = Inside(core: Core(name: "m", limits: limits, loop: loop))
            var model = ModelDescription()
            model.batch = true
            model.generative = true
            model.headers = false
            if ready { inside.core.workerIsReady(description ?? model, link: inside.link) }
            return NIOLoopBound(inside, eventLoop: loop)
        }.get()
    }

    /// Runs on the loop, and lets what that has scheduled for the end of its turn happen.
    @discardableResult
    func run<Value: Sendable>(_ body: @escaping @Sendable (Inside) throws -> Value) async throws -> Value {
        let value = try await loop.submit { [inside] in try body(inside.value) }.get()
        try await loop.submit {}.get()
        return value
    }

    static func row(_ values: [UInt8], name: String = "x", rows: Int = 1) -> InferenceRequest {
        let head = TensorHead(
            name: name, datatype: .uint8, shape: [rows, values.count / rows], size: values.count)
        return InferenceRequest(
            dialect: .v2, payload: .tensors(TensorSet(heads: [head], bytes: ByteBuffer(bytes: values))))
    }

    static func chat(stream: Bool) -> InferenceRequest {
        InferenceRequest(
            dialect: .v1, payload: .openAI(.chatCompletions, ByteBuffer(string: #"{"messages":[]}"#), stream: stream))
    }
}

/// Hears what becomes of a request and writes it down in words.
final class Ear: ReplyReceiver {
    var id: RequestID?
    var events: [String] = []

    func receive(_ event: ReplyEvent, for id: RequestID) {
        switch event {
        case .outputs(let outputs, _):
            events.append(
                outputs.map { "\($0.name)\($0.shape)=\(Array($0.bytes.readableBytesView))" }.joined(separator: " "))
        case .json(let json, _): events.append("json " + String(buffer: json))
        case .chunk(let json): events.append("chunk " + String(buffer: json))
        case .end: events.append("end")
        case .failure(let error): events.append("\(error.status) \(error.message)")
        }
    }
}

/// Takes notes of the frames that a worker would get.
final class NotingLink: WorkerLink {
    var headers: [String] = []
    var bodies: [[UInt8]] = []
    var killed: [String] = []
    var onFrame: ((String, ByteBuffer) -> Void)?

    func send(_ parts: [ByteBuffer]) {
        var frame = ByteBuffer()
        for part in parts { frame.writeImmutableBuffer(part) }
        guard let length = frame.readInteger(endianness: .little, as: UInt32.self), Int(length) == frame.readableBytes,
            let headerSize = frame.readInteger(endianness: .little, as: UInt32.self),
            let header = frame.readString(length: Int(headerSize))
        else {
            Issue.record("a frame whose lengths do not add up")
            return
        }
        headers.append(header)
        bodies.append(Array(frame.readableBytesView))
        onFrame?(header, frame)
    }

    var onKill: (() -> Void)?

    func kill(cause: String) {
        onKill?()
        killed.append(cause)
    }
}
