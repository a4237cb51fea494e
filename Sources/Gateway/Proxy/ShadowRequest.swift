import NIOCore

extension ClientConnection {
    private static let shadowLimit = 1 << 20

    /// Keeps what was sent, while shadow stages want it and it is not too much.
    func copyForShadows(_ data: ByteBuffer) {
        guard let exchange = exchange?.route, let size = exchange.copy?.readableBytes else { return }
        // Frames of chunks and the head are in it, too: a little beyond the body's limit.
        if size + data.readableBytes <= ClientConnection.shadowLimit + 64 << 10 {
            exchange.copy?.writeImmutableBuffer(data)
        } else {
            exchange.copy = nil
        }
    }

    /// The request is whole: sends its copies on their way, and forgets them.
    func sendShadows() {
        guard let exchange = exchange?.route, let copy = exchange.copy, let name = exchange.resource?.nameBytes,
            !head.wantsWebSocket
        else {
            return
        }
        exchange.copy = nil
        for stage in exchange.shadows {
            // Of the table that it was drawn from; a new one meanwhile has perhaps no place for it.
            guard stage.isPart(of: loop.table), let resource = stage.resource(name) else { continue }
            ShadowRequest.send(
                copy, to: resource, counter: loop.counters[stage.index], loop, toHead: head.method == .head)
        }
    }
}

/// A copy of a request, whose answer is thrown away. The original neither waits for it nor fails with it.
final class ShadowRequest: ResponseReceiver {
    private let loop: EventLoopContext
    private let counter: StageCounter
    private let started = NIODeadline.now()
    let deadline: NIODeadline
    private let backend: BackendState
    private var upstream: UpstreamConnection?
    private var status = 0
    private var hasEnded = false

    private init(_ loop: EventLoopContext, counter: StageCounter, backend: BackendState) {
        self.loop = loop
        self.counter = counter
        self.backend = backend
        deadline = started + .seconds(Int64(loop.core.settings.timeout))
    }

    static func send(
        _ request: ByteBuffer, to resource: CompiledResource, counter: StageCounter, _ loop: EventLoopContext,
        toHead: Bool
    ) {
        resource.use.countRequest()
        loop.turn &+= 1
        let core = loop.core
        let chosen = Balancer.choose(resource.backends, turn: loop.turn, excluding: [], now: loop.coarseNow)
        guard let chosen else { return }
        guard core.shadows.add(1, ordering: .relaxed).newValue <= GatewayCore.shadowLimit else {
            core.shadows.subtract(1, ordering: .relaxed)
            return
        }
        chosen.state.enter()
        let shadow = ShadowRequest(loop, counter: counter, backend: chosen.state)
        loop.add(shadow)
        let pool = loop.pools[chosen.slot]
        if let upstream = pool.take() {
            shadow.start(upstream, request, toHead: toHead)
        } else {
            pool.connect { shadow.start($0, request, toHead: toHead) }
        }
    }

    private func start(_ upstream: UpstreamConnection?, _ request: ByteBuffer, toHead: Bool) {
        guard !hasEnded else { return upstream?.release() ?? () }
        self.upstream = upstream
        if upstream?.start(request, toHead: toHead, isComplete: true, receiver: self) != true {
            self.upstream = nil
            end(status: 502)
        }
    }

    private func end(status: Int) {
        guard !hasEnded else { return }
        hasEnded = true
        upstream?.abandon()
        upstream = nil
        backend.leave()
        loop.core.shadows.subtract(1, ordering: .relaxed)
        loop.remove(self)
        let now = NIODeadline.now()
        counter.record(status: status, nanoseconds: (now - started).nanoseconds, minute: loop.minute(now))
    }

    func outOfTime() { end(status: 504) }

    var takesMore: Bool { true }
    func receive(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
        status = head.status
        if head.status == 101 { end(status: 502) }
    }
    func receive(_ data: ByteBuffer) {}
    func receiveFlush() {}
    func receiveEnd() {
        upstream = nil
        end(status: status)
    }
    func upstreamWritable() {}
    func upstreamInputClosed() {}
    func upstreamClosed(answered: Bool, notHTTP: Bool) {
        upstream = nil
        end(status: 502)
    }
}
