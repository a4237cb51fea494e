import NIOCore
import NIOSSL

/// A client's connection: takes its requests one after the other and passes each on to a backend.
///
/// All of it on one event loop, its backends' connections among it. One handler does everything: with NIO's usual chain of
/// decoder, encoder and pipelining handlers, each request would be taken apart into strings and put together again.
final class ClientConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Nothing has come yet: TLS or plain is not known.
        case opening
        /// Between requests, or within a head.
        case head
        /// A request's body is on its way.
        case body
        /// The request is whole, its answer is awaited or on its way.
        case answer
        /// Answered already; what is left of the request is thrown away.
        case discard
        /// Nothing more will be sent. Reads until the client closes: closing at once would, with unread bytes, make the
        /// kernel throw the answer away.
        case linger
        case tunnel
        case closed
    }

    static let idleLimit = TimeAmount.seconds(60)
    static let headLimit = TimeAmount.seconds(30)
    /// Without any progress in a body.
    static let bodyLimit = TimeAmount.seconds(60)
    /// After the last byte was sent.
    static let lingerLimit = TimeAmount.seconds(5)
    /// What the gate may still take when the gateway ends.
    static let gateGrace = TimeAmount.seconds(2)
    /// What is read ahead of a request that waits.
    static let readAhead = 64 << 10
    /// Bodies and answers up to this go out together with their heads.
    static let small = 16 << 10

    let loop: EventLoopContext
    let door: Door
    /// Its place among the event loop's connections.
    var slot = -1
    var context: ChannelHandlerContext?
    var phase = Phase.opening
    var deadline: NIODeadline
    var isTLS = false
    var peer: [UInt8] = []

    var input = ByteBuffer()
    var scanned = 0
    var isHeadBegun = false
    var head = RequestHead()
    var requestID: [UInt8] = []
    /// The target of the request that is on its way; its path's length.
    var target: [UInt8] = []
    var pathLength = 0
    var method: [UInt8] = []
    /// The request as its backend gets it, or the beginning.
    var request = ByteBuffer()
    var bodyLeft = BodyLeft.none
    var exchange: Exchange?
    /// Tells a late connection that its request has gone.
    var attempt = 0

    /// What waits to be sent, and whether it was: a sent buffer is kept to be filled again.
    var output = ByteBuffer()
    var isOutputSent = true
    var isReadHeld = false
    private var isProcessing = false

    init(loop: EventLoopContext, door: Door) {
        self.loop = loop
        self.door = door
        deadline = loop.coarseNow + ClientConnection.headLimit
    }

    // MARK: - Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        loop.remove(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        switch phase {
        case .opening:
            guard open(buffer, context) else { return }
        case .linger, .closed: return
        case .tunnel: return exchange?.upstream?.write(buffer) ?? ()
        default: break
        }
        if input.readableBytes == 0 { input = buffer } else { input.writeBuffer(&buffer) }
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .tunnel = phase { exchange?.upstream?.flush() }
    }

    /// - Returns: false where the bytes are TLS, or are not wanted.
    private func open(_ buffer: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
        let address = context.remoteAddress?.ipAddress ?? ""
        peer = Array(address.utf8)
        phase = .head
        guard buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) == 0x16 else {
            guard door.gate == nil else {
                refuse(.needsTLS)
                return false
            }
            // In the clear only within the machine: API keys and data are in it.
            guard address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.") else {
                close()
                return false
            }
            return true
        }
        isTLS = true
        do {
            let handler = NIOSSLServerHandler(context: loop.core.tls)
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
            context.pipeline.syncOperations.fireChannelRead(NIOAny(buffer))
        } catch {
            close()
        }
        return false
    }

    func channelInactive(context: ChannelHandlerContext) {
        loop.remove(self)
        phase = .closed
        // The client went away: 499, as nginx has it.
        if exchange != nil { endExchange(status: 499) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Now, since TLS waits a while before it is closed: a client that ends a tunnel without TLS's good-bye is such an error.
        if exchange != nil { endExchange(status: 499) }
        close()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .tunnel = phase, event as? ChannelEvent == .inputClosed { exchange?.upstream?.closeOutput() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        if case .answer = phase, exchange?.status != 0 {
            // With nothing more to come, what is left must be taken in time; else the next piece decides anew.
            deadline = exchange?.upstream == nil ? loop.coarseNow + ClientConnection.bodyLimit : .distantFuture
        }
        exchange?.upstream?.resumeReading()
        process()
    }

    // NIO asks for more after every read; the question waits here while nothing more is wanted.
    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadHeld = true }
    }

    private var mayRead: Bool {
        switch phase {
        case .opening, .discard, .linger: true
        case .head: input.readableBytes <= RequestHead.limit
        case .body:
            input.readableBytes < ClientConnection.readAhead && exchange?.upstream?.isWritable ?? true
        // Reading on while an answer is awaited is how a client that goes away is noticed.
        case .answer: input.readableBytes < ClientConnection.readAhead
        case .tunnel: exchange?.upstream?.isWritable ?? false
        case .closed: false
        }
    }

    func resumeReading() {
        guard isReadHeld, mayRead else { return }
        isReadHeld = false
        context?.read()
    }

    func close() {
        phase = .closed
        context?.close(promise: nil)
    }

    // MARK: - Progress

    /// Works off what has been read as far as that is possible now.
    func process() {
        // What is done here may end in a call of this; the loop below then sees it.
        guard !isProcessing else { return }
        isProcessing = true
        while advance() {}
        isProcessing = false
        if input.readableBytes == 0 { input = ByteBuffer() }
        resumeReading()
    }

    /// - Returns: Whether there may be more to do.
    private func advance() -> Bool {
        switch phase {
        case .head: input.readableBytes > 0 && context?.channel.isWritable == true && readHead()
        case .body: forwardBody()
        case .discard: discardBody()
        default: false
        }
    }
}
