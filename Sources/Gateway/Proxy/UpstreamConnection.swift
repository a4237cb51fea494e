import NIOCore

/// A connection to a backend: idle, on the way with one request and its answer, or a tunnel.
final class UpstreamConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case idle
        case head
        case length(Int)
        case chunked
        case untilClose
        case tunnel
        case closed
    }

    private let pool: ConnectionPool
    private var context: ChannelHandlerContext?
    private var phase = Phase.idle
    private var receiver: (any ResponseReceiver)?
    private var input = ByteBuffer()
    private var scanned = 0
    private var head = ResponseHead()
    private var decoder = ChunkedDecoder()
    private var toHead = false
    private var isStarting = false
    private var isRequestComplete = false
    private var hasAnswered = false
    private var isReadHeld = false
    private(set) var idleSince = NIODeadline.now()

    init(pool: ConnectionPool) { self.pool = pool }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    // MARK: - Request

    /// Sends a request's head, with as much of its body as belongs to it.
    /// - Parameters:
    ///   - toHead: Whether it is HEAD, whose answer has no body.
    ///   - isComplete: Whether nothing of the request follows.
    /// - Returns: false where the connection turned out to be closed, and the backend cannot have got the request.
    func start(_ request: ByteBuffer, toHead: Bool, isComplete: Bool, receiver: any ResponseReceiver) -> Bool {
        guard let context, case .idle = phase, context.channel.isActive else { return false }
        phase = .head
        self.receiver = receiver
        self.toHead = toHead
        isRequestComplete = isComplete
        hasAnswered = false
        isStarting = true
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
        isStarting = false
        if case .closed = phase {
            self.receiver = nil
            return false
        }
        return true
    }

    func write(_ data: ByteBuffer) { context?.write(wrapOutboundOut(data), promise: nil) }
    func flush() { context?.flush() }
    func completeRequest() { isRequestComplete = true }

    /// Whoever asked does not want the answer any more.
    func abandon() {
        receiver = nil
        close()
    }

    func close() {
        phase = .closed
        context?.close(promise: nil)
    }

    /// Gives an unused connection to the pool.
    func release() {
        phase = .idle
        idleSince = pool.loop.coarseNow
        if !pool.put(self) { close() }
    }

    // MARK: - Tunnel

    func becomeTunnel() {
        phase = .tunnel
        try? context?.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    }

    /// Says that nothing more will be sent, after all that was.
    func closeOutput() {
        guard let context else { return }
        context.closeOutputAfterWrites()
    }

    // MARK: - Answer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        switch phase {
        // Unasked: an error page before a close, or something worse.
        case .idle: return close()
        case .closed: return
        case .head where isStarting: return
        default: break
        }
        if input.readableBytes == 0 { input = buffer } else { input.writeImmutableBuffer(buffer) }
        process()
    }

    private func process() {
        while step() {}
        if input.readableBytes == 0 { input = ByteBuffer() }
    }

    /// - Returns: Whether there may be more to do.
    private func step() -> Bool {
        switch phase {
        case .idle, .closed: return false
        case .head: return parseHead()
        case .length(let left):
            guard let data = input.readSlice(length: min(left, input.readableBytes)), data.readableBytes > 0 else {
                return pause()
            }
            phase = .length(left - data.readableBytes)
            receiver?.receive(data)
            if data.readableBytes == left { complete() }
            return data.readableBytes < left
        case .chunked:
            switch decoder.next(&input) {
            case .data(let data): receiver?.receive(data)
            case .end:
                complete()
                return false
            case .incomplete: return pause()
            case .malformed:
                fail()
                return false
            }
            return true
        case .untilClose, .tunnel:
            guard input.readableBytes > 0 else { return pause() }
            let data = input
            input = ByteBuffer()
            receiver?.receive(data)
            return true
        }
    }

    private func pause() -> Bool {
        receiver?.receiveFlush()
        return false
    }

    private func parseHead() -> Bool {
        guard input.readableBytes > 0 else { return false }
        hasAnswered = true
        let end = input.withUnsafeReadableBytes { HeadEnd.find($0, from: scanned) }
        switch end {
        case .notBefore(let offset):
            scanned = offset
            if input.readableBytes > RequestHead.limit { fail() }
            return false
        case .bareLineFeed:
            fail()
            return false
        case .at(let end):
            scanned = 0
            let isHTTP = input.withUnsafeReadableBytes { bytes in
                let bytes = UnsafeRawBufferPointer(rebasing: bytes[..<end])
                guard end <= RequestHead.limit, head.parse(bytes, toHead: toHead) else { return false }
                // 100 and 103 say nothing that the client needs; 101 is looked at by whoever asked for it.
                if head.status >= 200 || head.status == 101 { receiver?.receive(head, bytes) }
                return true
            }
            guard isHTTP else {
                fail()
                return false
            }
            input.moveReaderIndex(forwardBy: end)
            return beginBody()
        }
    }

    private func beginBody() -> Bool {
        // A tunnel by now, or abandoned.
        guard case .head = phase else { return true }
        guard head.status >= 200 else { return true }
        switch head.framing {
        case .none:
            complete()
            return false
        case .length(let length): phase = .length(length)
        case .chunked:
            decoder = ChunkedDecoder()
            phase = .chunked
        case .untilClose: phase = .untilClose
        }
        return true
    }

    private func complete() {
        let receiver = receiver
        self.receiver = nil
        let isReusable = head.keepsAlive && isRequestComplete && input.readableBytes == 0
        input = ByteBuffer()
        if isReusable { release() } else { close() }
        // Last: the next request may already come by this connection.
        receiver?.receiveEnd()
    }

    private func fail() {
        let receiver = receiver
        abandon()
        receiver?.upstreamClosed(answered: hasAnswered, notHTTP: true)
    }

    // MARK: - Channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        let last = phase
        phase = .closed
        let receiver = receiver
        self.receiver = nil
        if isStarting { return }
        switch last {
        case .idle: pool.remove(self)
        case .untilClose: receiver?.receiveEnd()
        default: receiver?.upstreamClosed(answered: hasAnswered, notHTTP: false)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .tunnel = phase, event as? ChannelEvent == .inputClosed { receiver?.upstreamInputClosed() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { receiver?.upstreamWritable() }
    }

    // NIO asks for more after every read; while the client does not keep up, the question waits here.
    func read(context: ChannelHandlerContext) {
        if let receiver, !receiver.takesMore {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    func resumeReading() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }
}

extension ChannelHandlerContext {
    /// Closes the sending side when all that was written has gone. At once would cut it off where the other side has
    /// closed its own: NIO then closes the whole channel.
    func closeOutputAfterWrites() {
        let promise = eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.close(mode: .output, promise: nil) }
        writeAndFlush(NIOAny(ByteBuffer()), promise: promise)
    }
}
