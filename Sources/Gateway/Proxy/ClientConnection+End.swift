import NIOCore

extension ClientConnection {
    /// Whether a request or its answer is not through.
    var isBusy: Bool {
        switch phase {
        case .body, .answer: true
        default: false
        }
    }

    /// Whether the end of the gateway is put off for it. A gate that waits for a program to start may go on for long.
    var delaysEnd: Bool {
        guard isBusy, let app = exchange?.app, app.pass == nil else { return isBusy }
        return app.started + ClientConnection.gateGrace > .now()
    }

    /// Answers by itself. After a head that has gone out there is no way to say it but to close.
    func refuse(_ refusal: Refusal) {
        if let exchange, exchange.status != 0 {
            endExchange(status: refusal.status)
            return close()
        }
        let openAI = !target.isEmpty && target.prefix(pathLength).contains("/openai/".utf8)
        var headers = [("Content-Type", "application/json")]
        if let seconds = refusal.retryAfter { headers.append(("Retry-After", "\(seconds)")) }
        if refusal.status == 401 { headers.append(("WWW-Authenticate", "Bearer")) }
        answer(
            status: refusal.status, headers: headers, body: Array(refusal.body(openAI: openAI).utf8),
            closes: refusal.closes)
    }

    /// Answers before anything of another answer has gone out.
    func answer(status: Int, headers: [(String, String)], body: [UInt8], closes: Bool = false) {
        if requestID.isEmpty { loop.random.writeUUID(to: &requestID) }
        let closes = closes || !head.keepsAlive || loop.isDraining || !isRestWorthReading
        prepareOutput()
        output.writeHead(upTo: headers.reduce(256 + requestID.count) { $0 + $1.0.utf8.count + $1.1.utf8.count + 4 }) {
            writer in
            writer.write("HTTP/1.1 ")
            writer.write(status)
            writer.write(" ")
            writer.write(Refusal.reason(status))
            writer.write("\r\n")
            for (name, value) in headers { writer.write(name, value) }
            writer.write("Content-Length: ")
            writer.write(body.count)
            writer.write("\r\nX-Request-Id: ")
            writer.write(requestID)
            if closes { writer.write("\r\nConnection: close") }
            writer.write("\r\n\r\n")
        }
        if head.method != .head { output.writeBytes(body) }
        receiveFlush()
        endExchange(status: status)
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
        if exchange.app != nil { loop.apps.unwatch(self) }
        record(exchange, status: status)
    }

    /// Counts and logs, once.
    func record(_ exchange: Exchange, status: Int) {
        guard !exchange.isRecorded else { return }
        exchange.isRecorded = true
        guard let exchange = exchange.route else { return logAccess(exchange, status: status) }
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
            if let route = exchange.route, route.heldFor != nil {
                return refuse(.heldTooLong(route.resource?.hold ?? 0))
            }
            if exchange.status != 0 {
                endExchange(status: 499)
                return close()
            }
            let waitsForClient = if case .body = phase { exchange.upstream?.isWritable == true } else { false }
            refuse(waitsForClient ? .slowRequest : .slowAnswer(door.program))
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
