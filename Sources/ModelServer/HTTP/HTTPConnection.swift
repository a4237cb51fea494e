import NIOCore
import NIOHTTP1

/// One client's connection: takes in requests one after the other and writes their answers.
final class HTTPConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case idle
        case receiving
        /// What comes is thrown away: the request has been refused.
        case discarding(ServingError)
        /// A large body is parsed, or a large answer written, on a thread of its own.
        case working
        case waiting(RequestID)
        case streaming(RequestID)
        /// The last answer has been written.
        case closing

        var takesRequests: Bool {
            switch self {
            case .idle, .receiving, .discarding: true
            case .working, .waiting, .streaming, .closing: false
            }
        }
    }

    let service: HTTPService
    private(set) var context: ChannelHandlerContext?
    var phase = Phase.idle
    var response = Response()
    var current = Exchange()
    /// Bytes of a streamed answer that the client has not taken yet.
    var unsent = 0
    private var body = BodyBuffer()
    /// Bytes of the body that memory has been set aside for.
    private var charged = 0
    private var lastRead = NIODeadline.now()
    /// Parts of requests that came before the current one was answered.
    private var backlog = CircularBuffer<HTTPServerRequestPart>()
    private var readIsHeld = false
    private var isReplaying = false

    init(service: HTTPService) { self.service = service }

    var isBusy: Bool {
        if case .idle = phase { return false }
        return true
    }

    func close() { context?.close(promise: nil) }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        service.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        switch phase {
        case .waiting(let id), .streaming(let id): abandon(id)
        case .idle, .receiving, .discarding, .working, .closing: break
        }
        phase = .closing
        refund()
        backlog.removeAll()
        service.remove(self)
        context.fireChannelInactive()
    }

    /// The client has gone, or will not be answered any further. Counted as nginx does.
    func abandon(_ id: RequestID) {
        service.core.cancel(id)
        service.core.metrics.request(current.door, code: 499, seconds: current.elapsed)
    }

    // MARK: - Reading

    /// A client that sends on without waiting for answers is not read from until it has got them.
    func read(context: ChannelHandlerContext) {
        if backlog.isEmpty { context.read() } else { readIsHeld = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .closing = phase { return }
        if backlog.isEmpty, phase.takesRequests { take(part) } else { backlog.append(part) }
    }

    /// Goes on with what came in the meantime.
    func replay() {
        guard !isReplaying else { return }
        isReplaying = true
        defer { isReplaying = false }
        while phase.takesRequests, let part = backlog.popFirst() { take(part) }
        if backlog.isEmpty, readIsHeld {
            readIsHeld = false
            context?.read()
        }
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes): if case .receiving = phase { append(bytes) }
        case .end:
            switch phase {
            case .receiving where current.route.takesBody: submit(body.bytes)
            case .receiving: answerAtOnce()
            case .discarding(let error): fail(error)
            case .idle, .working, .waiting, .streaming, .closing: break
            }
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        phase = .receiving
        current.begin(head)
        lastRead = current.begin
        do throws(Router.Refusal) {
            current.route = try service.router.route(
                isPost: head.method == .POST, isGet: head.method == .GET || head.method == .HEAD, uri: head.uri)
            current.door = current.route.door
        } catch {
            current.door = error.door
            phase = .discarding(error.error)
            return
        }
        guard current.route.takesBody else { return }
        current.note(head.headers)
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard charge(length) else { return }
        body = BodyBuffer(expected: length)
        if head.headers.contains(name: "expect") {
            let go = ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")
            context?.writeAndFlush(wrapOutboundOut(go), promise: nil)
        }
    }

    private func append(_ bytes: ByteBuffer) {
        lastRead = .now()
        let size = body.bytes.readableBytes + bytes.readableBytes
        guard size <= charged || charge(size) else { return }
        body.append(bytes)
    }

    /// Sets memory aside for a body of so many bytes.
    /// - Returns: false where there is none; the request has then been answered, without reading the rest of it.
    private func charge(_ size: Int) -> Bool {
        do throws(ServingError) {
            try service.bodyMemory.take(size, held: charged, jsonLength: current.jsonLength)
        } catch {
            current.keepAlive = false
            fail(error)
            return false
        }
        charged = size
        return true
    }

    /// The body is no longer needed.
    func refund() {
        service.bodyMemory.giveBack(charged, jsonLength: current.jsonLength)
        charged = 0
        body = BodyBuffer()
    }

    // MARK: - Faults

    /// Ends a request whose body does not come on.
    func endIfStalled(since limit: NIODeadline) {
        switch phase {
        case .receiving, .discarding:
            guard lastRead < limit else { return }
            current.keepAlive = false
            fail(ServingError(408, "The request's body did not come on for \(seconds(HTTPService.patience))."))
        case .idle, .working, .waiting, .streaming, .closing: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError, phase.takesRequests else { return context.close(promise: nil) }
        if case .idle = phase { current = Exchange() }
        current.keepAlive = false
        if case .headerOverflow = error {
            fail(ServingError(431, "The request's headers are larger than 80 KiB."))
        } else {
            fail(.bad("Malformed HTTP: \(error)"))
        }
    }
}
