import NIOCore

extension ClientConnection {
    /// Whether a request or its answer is not through.
    var isBusy: Bool {
        switch phase {
        case .body, .answer: true
        default: false
        }
    }

    /// Answers by itself. After a head that has gone out there is no way to say it but to close.
    func refuse(_ refusal: Refusal) {
        if let exchange, exchange.status != 0 {
            endExchange(status: refusal.status)
            return close()
        }
        let isWhole = isRestWorthReading
        if requestID.isEmpty { loop.random.writeUUID(to: &requestID) }
        let closes = refusal.closes || !head.keepsAlive || loop.isDraining || !isWhole
        let openAI = target.prefix(pathLength).contains("/openai/".utf8)
        let body = refusal.body(openAI: openAI && !target.isEmpty)
        prepareOutput()
        output.writeHead(upTo: 512 + requestID.count) { writer in
            writer.write("HTTP/1.1 ")
            writer.write(refusal.status)
            writer.write(" ")
            writer.write(Refusal.reason(refusal.status))
            writer.write("\r\nContent-Type: application/json\r\nContent-Length: ")
            writer.write(body.utf8.count)
            writer.write("\r\nX-Request-Id: ")
            writer.write(requestID)
            if let seconds = refusal.retryAfter {
                writer.write("\r\nRetry-After: ")
                writer.write(seconds)
            }
            if refusal.status == 401 { writer.write("\r\nWWW-Authenticate: Bearer") }
            if closes { writer.write("\r\nConnection: close") }
            writer.write("\r\n\r\n")
        }
        if head.method != .head { output.writeString(body) }
        receiveFlush()
        endExchange(status: refusal.status)
        if closes { return linger() }
        phase = .discard
        deadline = loop.coarseNow + ClientConnection.bodyLimit
        process()
    }

    /// Whether what is left of the request is worth reading to keep the connection.
    private var isRestWorthReading: Bool {
        switch bodyLeft {
        case .none: true
        // Whoever waits for 100 may or may not send the body after a refusal.
        case _ where head.expectsContinue: false
        case .length(let left): left <= ClientConnection.readAhead
        case .chunked(_, let received): received <= ClientConnection.readAhead
        }
    }

    /// Counts, records and lets go of the request.
    func endExchange(status: Int) {
        endHold()
        leaveBackend()
        attempt += 1
        guard let exchange else { return }
        self.exchange = nil
        exchange.upstream?.abandon()
        guard !exchange.isRecorded else { return }
        record(exchange, status: status)
    }

    func record(_ exchange: Exchange, status: Int) {
        let now = NIODeadline.now()
        let nanoseconds = (now - exchange.started).nanoseconds
        exchange.counter.record(status: status, nanoseconds: nanoseconds, minute: loop.minute(now))
        guard let fields = exchange.stage.log else { return }
        loop.log(
            InferenceRecord(
                fields: fields, model: exchange.resource?.name ?? "", requestID: requestID, method: method,
                path: Array(target[min(exchange.stageEnd, pathLength)..<pathLength]), status: status,
                nanoseconds: nanoseconds, time: Double(loop.wallClock(now)) / 1e9))
    }

    /// Says that nothing more will be sent, and waits a little for the client to close.
    func linger() {
        phase = .linger
        input = ByteBuffer()
        deadline = loop.coarseNow + ClientConnection.bodyLimit
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.deadline = self.loop.coarseNow + ClientConnection.lingerLimit
        }
        context.close(mode: .output, promise: promise)
        resumeReading()
    }

    /// The time for what the connection is at is over.
    func outOfTime() {
        switch phase {
        case .opening, .discard, .linger: close()
        case .head: input.readableBytes == 0 ? close() : refuse(.slowRequest)
        case .body, .answer:
            guard let exchange else { return close() }
            if exchange.heldFor != nil { return refuse(.heldTooLong(exchange.resource?.hold ?? 0)) }
            if exchange.status != 0 {
                endExchange(status: 499)
                return close()
            }
            let waitsForClient = if case .body = phase { exchange.upstream?.isWritable == true } else { false }
            refuse(waitsForClient ? .slowRequest : .slowAnswer)
        case .tunnel, .closed: deadline = .distantFuture
        }
    }

    /// The gateway ends: what is idle closes now, what is busy after its answer.
    func drain() {
        switch phase {
        case .opening: close()
        case .head where input.readableBytes == 0: close()
        default: break
        }
    }

    /// The time for that is over.
    func giveUp() {
        if isBusy, exchange?.status == 0 { refuse(.ending) }
        close()
    }
}
