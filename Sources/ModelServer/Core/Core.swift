import NIOCore

/// Sends calls to the worker. Implemented by the link to its process, and by tests.
protocol WorkerLink: AnyObject {
    /// - Parameters: the frame's parts, in order.
    func send(_ parts: [ByteBuffer])
    /// The worker has done what no worker may do, or nothing for too long: end it.
    func kill(cause: String)
}

/// The heart of the model server: the queue, what the worker is at, and who waits for which answer.
///
/// Knows neither HTTP nor gRPC. Lives on one event loop; other threads go through `InferenceCore`.
final class Core {
    struct Limits: Sendable {
        var batch = Batcher.Limits()
        /// Requests that wait to be sent.
        var queue = 1024
        var time = TimeAmount.seconds(60)
    }

    enum State {
        case loading
        case ready(ModelDescription)
        /// The worker has gone and is started again.
        case restarting(cause: String)
    }

    /// A frame holds no more.
    static let frameLimit = 1 << 30

    let name: String
    let loop: any EventLoop
    let metrics = Metrics()
    private(set) var state = State.loading
    private let limits: Limits
    private var batcher: Batcher
    private var link: (any WorkerLink)?
    private var pending: [RequestID: Pending] = [:]
    private var calls: [Int: Call] = [:]
    /// Calls that were told to stop. The worker may still say something about them.
    private var cancelled: Set<Int> = []
    private var lastRequest: UInt64 = 0
    private var lastCall = 0
    private var dispatchIsComing = false
    private var windowTimer: Scheduled<Void>?
    private var ticks = false
    private var onIdle: (() -> Void)?
    private let replies: ReplyReader

    private struct Pending {
        var request: InferenceRequest
        var receiver: any ReplyReceiver
        var arrival: NIODeadline
        var deadline: NIODeadline
        var call: Int?
    }

    private struct Call {
        var members: [RequestID]
        var rows: [Int]
        var sum: Int
        var isOpenAI: Bool
        /// When it was sent, or last gave sign of life.
        var since: NIODeadline
    }

    init(name: String, limits: Limits, loop: any EventLoop) {
        self.name = name
        self.limits = limits
        self.loop = loop
        batcher = Batcher(limits: limits.batch)
        replies = ReplyReader()
    }

    var description: ModelDescription? {
        if case .ready(let description) = state { return description }
        return nil
    }

    var notReady: ServingError {
        var error = ServingError.notReady(name)
        if case .restarting(let cause) = state { error.message += " It is started again: \(cause)." }
        return error
    }

    // MARK: - Requests

    /// - Returns: the request's id. `receiver` will hear of it, but not before this returns.
    func submit(_ request: InferenceRequest, for receiver: any ReplyReceiver) throws(ServingError) -> RequestID {
        lastRequest += 1
        let id = RequestID(number: lastRequest)
        try submit(request, id: id, for: receiver)
        return id
    }

    /// - Parameter id: one that nobody else uses.
    func submit(_ request: InferenceRequest, id: RequestID, for receiver: any ReplyReceiver) throws(ServingError) {
        guard let description else { throw notReady }
        try check(request, description)
        guard batcher.waiting < limits.queue, calls.count < limits.queue else {
            throw ServingError(503, "The queue is full: \(limits.queue) requests are waiting.", retryAfter: 1)
        }
        let now = NIODeadline.now()
        pending[id] = Pending(
            request: request, receiver: receiver, arrival: now,
            deadline: now + min(request.limit ?? limits.time, limits.time))
        if !ticks { scheduleTick() }
        if case .openAI(let route, let body, let stream) = request.payload {
            return sendOpenAI(id, route: route, body: body, stream: stream, now: now)
        }
        let (kind, rows) = kind(of: request, batch: description.batch)
        batcher.add(id, kind: kind, rows: rows, bytes: request.size, now: now)
        scheduleDispatch()
    }

    private func check(_ request: InferenceRequest, _ description: ModelDescription) throws(ServingError) {
        if request.verb == .explain, !description.explain {
            throw ServingError(501, "Model with name \(name) does not explain: its handler has no 'explain'.")
        }
        if case .openAI = request.payload, !description.generative {
            throw ServingError(
                501, "Model with name \(name) does not generate text: the OpenAI routes need a text generation model.")
        }
        guard request.size + (request.parameters?.readableBytes ?? 0) < Core.frameLimit - (1 << 20) else {
            throw ServingError(
                413, "The request's \(request.size) bytes of tensors are more than a call can hold, 1 GiB.")
        }
    }

    private func kind(of request: InferenceRequest, batch: Bool) -> (Batcher.Kind, rows: Int) {
        var kind = Batcher.Kind(dialect: request.dialect, verb: request.verb, alone: !batch)
        switch request.payload {
        case .json(_, let rows): return (kind, max(1, rows))
        case .openAI: return (kind, 1)
        case .tensors(let set):
            kind.inputs = set.heads
            guard let rows = set.rows else {
                kind.alone = true
                return (kind, 1)
            }
            return (kind, rows)
        }
    }

    /// The client has gone. Its answer, if one comes, is dropped.
    func cancel(_ id: RequestID) {
        guard let entry = pending.removeValue(forKey: id) else { return }
        if let call = entry.call {
            stop(call)
        } else {
            batcher.remove(id)
        }
        settle()
    }

    /// A generation goes on for long, so it is told to stop. Other calls end soon, and may be shared.
    private func stop(_ call: Int) {
        guard calls[call]?.isOpenAI == true else { return }
        calls[call] = nil
        cancelled.insert(call)
        link?.send([CallFrame.cancel(call)])
    }

    // MARK: - Sending

    /// At the end of this turn of the event loop, so that what arrived in the same turn goes out in one call.
    private func scheduleDispatch() {
        guard !dispatchIsComing else { return }
        dispatchIsComing = true
        loop.assumeIsolated().execute { [self] in
            dispatchIsComing = false
            dispatch()
        }
    }

    private func dispatch() {
        guard let link, case .ready(let description) = state else { return }
        let now = NIODeadline.now()
        while true {
            switch batcher.next(now: now) {
            case .nothing: return
            case .wait(let time):
                windowTimer?.cancel()
                windowTimer = loop.assumeIsolated().scheduleTask(deadline: time) { [self] in dispatch() }
                return
            case .send(let ids, let rows):
                lastCall += 1
                let requests = ids.compactMap { id in
                    pending[id]?.call = lastCall
                    return pending[id]?.request
                }
                let sum = rows.reduce(0, +)
                calls[lastCall] = Call(members: ids, rows: rows, sum: sum, isOpenAI: false, since: now)
                metrics.batch(rows: sum, requests: ids.count)
                link.send(CallFrame.infer(call: lastCall, requests, rows: rows, headers: description.headers))
            }
        }
    }

    private func sendOpenAI(
        _ id: RequestID, route: InferenceRequest.OpenAIRoute, body: ByteBuffer, stream: Bool, now: NIODeadline
    ) {
        lastCall += 1
        pending[id]?.call = lastCall
        calls[lastCall] = Call(members: [id], rows: [1], sum: 1, isOpenAI: true, since: now)
        link?.send(CallFrame.openAI(call: lastCall, route: route, stream: stream, body: body))
    }

    // MARK: - Answers

    /// - Throws: where the frame is malformed: the sentence says how.
    func receive(header: ByteBuffer, body: ByteBuffer) throws(MalformedFrame) {
        let reply = try replies.read(header: header, body: body)
        guard let call = calls[reply.call] else {
            if cancelled.contains(reply.call) {
                if !reply.isChunk { cancelled.remove(reply.call) }
                return
            }
            throw MalformedFrame("an answer to call \(reply.call), which it does not have")
        }
        if reply.isChunk {
            guard call.isOpenAI else { throw MalformedFrame("a chunk for call \(reply.call), which is not streamed") }
            calls[reply.call]?.since = .now()
            deliver(.chunk(body), to: call.members[0])
            return
        }
        let events = try ReplySplitter.events(reply, rows: call.rows, sum: call.sum)
        calls[reply.call] = nil
        if !call.isOpenAI {
            batcher.finish(rows: call.sum)
            // The worker takes them one after the other: only now it turns to the next.
            let now = NIODeadline.now()
            for key in calls.keys where calls[key]?.isOpenAI == false { calls[key]?.since = now }
        }
        for (id, event) in zip(call.members, events) { deliver(event, to: id) }
        dispatch()
        settle()
    }

    private func deliver(_ event: ReplyEvent, to id: RequestID) {
        if event.isLast {
            pending.removeValue(forKey: id)?.receiver.receive(event, for: id)
        } else if let entry = pending[id] {
            pending[id]?.deadline = .now() + limits.time
            entry.receiver.receive(event, for: id)
        }
    }

    // MARK: - The worker's life

    func workerIsReady(_ description: ModelDescription, link: any WorkerLink) {
        self.link = link
        state = .ready(description)
        metrics.ready = true
        dispatch()
    }

    /// What it worked on fails. What waits stays: it has never been sent.
    func workerHasGone(cause: String) {
        link = nil
        state = .restarting(cause: cause)
        metrics.ready = false
        let failed = calls.values.sorted { $0.since < $1.since }.flatMap(\.members)
        calls.removeAll()
        cancelled.removeAll()
        batcher.forgetCalls()
        for id in failed {
            deliver(.failure(ServingError(500, "\(cause) while it worked on this request")), to: id)
        }
        settle()
    }

    // MARK: - Time

    private func scheduleTick() {
        let period = TimeAmount.nanoseconds(max(10_000_000, min(1_000_000_000, limits.time.nanoseconds / 20)))
        ticks = true
        loop.assumeIsolated().scheduleTask(in: period) { [self] in tick() }
    }

    /// One look at everything that waits, instead of a timer for each request.
    private func tick() {
        let now = NIODeadline.now()
        ticks = false
        guard !pending.isEmpty || !calls.isEmpty else { return }
        scheduleTick()
        for (id, entry) in pending where entry.deadline <= now { expire(id, entry) }
        if let call = calls.values.first(where: { $0.since + limits.time + limits.time <= now }) {
            let what = call.isOpenAI ? "answered nothing" : "did not answer"
            link?.kill(cause: "the model's process \(what) for \(seconds(limits.time + limits.time)) and was ended")
        }
        settle()
    }

    private func expire(_ id: RequestID, _ entry: Pending) {
        let limit = seconds(min(entry.request.limit ?? limits.time, limits.time))
        if let call = entry.call {
            stop(call)
            deliver(.failure(ServingError(504, "The model did not answer within the time limit of \(limit).")), to: id)
            return
        }
        batcher.remove(id)
        var reason = "the model was busy with requests before it"
        if case .restarting(let cause) = state { reason = "its process is started again: \(cause)" }
        deliver(
            .failure(
                ServingError(504, "The request waited for the time limit of \(limit) without being sent: \(reason).")),
            to: id)
    }

    // MARK: - The end

    var isIdle: Bool { pending.isEmpty }
    var queueLength: Int { batcher.waiting }

    /// Calls `action` once nobody waits for an answer any more.
    func whenIdle(_ action: @escaping () -> Void) {
        onIdle = action
        settle()
    }

    private func settle() {
        guard pending.isEmpty, let action = onIdle else { return }
        onIdle = nil
        action()
    }
}

/// `60 s`, `0.5 s`.
func seconds(_ amount: TimeAmount) -> String {
    let milliseconds = amount.nanoseconds / 1_000_000
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(Double(milliseconds) / 1000) s"
}
