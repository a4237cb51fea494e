import NIOCore

extension ClientConnection {
    /// Sends the request to a backend, or lets it wait for one, or refuses it.
    func send() {
        if let app = exchange?.app { return send(app) }
        do throws(Refusal) {
            guard let backend = try choose() else { return try holdOrRefuse() }
            endHold()
            exchange?.route?.backend = backend.state
            let pool = loop.pools[backend.slot]
            connect(by: pool)
        } catch {
            refuse(error)
        }
    }

    func connect(by pool: ConnectionPool) {
        if exchange?.wantsFresh == false, let upstream = pool.take() { return attach(upstream) }
        attempt += 1
        let attempt = attempt
        pool.connect { upstream in self.connected(upstream, attempt: attempt) }
    }

    /// A backend, with the request counted as on its way to it. Nil where there is none that was not tried.
    private func choose() throws(Refusal) -> CompiledBackend? {
        while true {
            guard let exchange = exchange?.route else { return nil }
            if !exchange.stage.isPart(of: loop.currentTable()) { try routeAgain(exchange) }
            guard let resource = exchange.resource else { return nil }
            loop.turn &+= 1
            let chosen = Balancer.choose(
                resource.backends, turn: loop.turn, excluding: exchange.tried, now: loop.coarseNow)
            guard let chosen else { return nil }
            chosen.state.enter()
            // First counted, then looked: with a table published meanwhile, whoever did so may have seen no request on its
            // way to this backend and have ended it.
            if loop.isTableCurrent { return chosen }
            chosen.state.leave()
        }
    }

    /// Finds the request's way in a table that is newer than the one that it came in by.
    private func routeAgain(_ exchange: RoutedExchange) throws(Refusal) {
        let table = loop.currentTable()
        let found: Result<RouteMatch?, Refusal> = target.withUnsafeBytes { bytes in
            do throws(Refusal) {
                return .success(try table.match(bytes, 0..<pathLength))
            } catch {
                return .failure(error)
            }
        }
        guard let match = try found.get() else { throw .noEndpoint }
        guard let resource = match.resource else {
            throw .noModel(target.withUnsafeBytes { PathPart.text($0, match.name) })
        }
        exchange.stage = match.stage
        exchange.counter = loop.counters[match.stage.index]
        exchange.resource = resource
        exchange.stageEnd = match.stageEnd
        exchange.drawCanary(loop)
        if !exchange.isSecondTime { exchange.drawShadows(of: match.stage, loop) }
        replaceLine(rest: match.rest)
    }

    // MARK: - Hold

    private func holdOrRefuse() throws(Refusal) {
        guard let exchange = exchange?.route, exchange.tried.isEmpty else { throw .unreachable }
        guard let resource = exchange.resource, resource.hold > 0 else { throw .noBackend }
        let until = exchange.heldUntil ?? exchange.started + .seconds(Int64(resource.hold))
        guard until > loop.coarseNow else { throw .heldTooLong(resource.hold) }
        if exchange.heldFor !== resource.use {
            endHold()
            exchange.heldFor = resource.use
            if resource.use.beginWaiting() { loop.core.wanted(resource.use.stage, resource.use.resource) }
        }
        exchange.heldUntil = until
        deadline = until
        loop.hold(self)
    }

    /// A new table has come while the request waits.
    func tryAgain() {
        guard exchange?.route?.heldFor != nil else { return }
        send()
        resumeReading()
    }

    func endHold() {
        guard let exchange = exchange?.route, let use = exchange.heldFor else { return }
        exchange.heldFor = nil
        use.endWaiting()
        loop.release(self)
    }

    // MARK: - Connection

    private func connected(_ upstream: UpstreamConnection?, attempt: Int) {
        guard attempt == self.attempt, exchange != nil else {
            // The request has gone; the connection is as good for the next.
            upstream?.release()
            return
        }
        if let upstream { return attach(upstream) }
        if let app = exchange?.app { return missed(app) }
        if let backend = leaveBackend() {
            backend.setAside(now: loop.coarseNow)
            exchange?.route?.tried.append(backend)
        }
        send()
    }

    private func attach(_ upstream: UpstreamConnection) {
        exchange?.upstream = upstream
        let isComplete = if case .answer = phase { true } else { false }
        guard upstream.start(request, toHead: head.method == .head, isComplete: isComplete, receiver: self) else {
            // Closed while it lay in the pool, or at once: nothing can have been done with the request.
            exchange?.upstream = nil
            let backend = leaveBackend()
            if exchange?.wantsFresh == true {
                if let app = exchange?.app { return missed(app) }
                if let backend { exchange?.route?.tried.append(backend) }
            }
            exchange?.wantsFresh = true
            return send()
        }
        copyForShadows(request)
        if isComplete { return sendShadows() }
        deadline = loop.coarseNow + ClientConnection.bodyLimit
        if head.expectsContinue, input.readableBytes == 0 {
            context?.writeAndFlush(
                wrapOutboundOut(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
        process()
    }

    @discardableResult
    func leaveBackend() -> BackendState? {
        guard let exchange = exchange?.route, let backend = exchange.backend else { return nil }
        exchange.backend = nil
        backend.leave()
        return backend
    }

    func upstreamWritable() {
        process()
    }

    func upstreamClosed(answered: Bool, notHTTP: Bool) {
        exchange?.upstream = nil
        leaveBackend()
        if case .tunnel = phase { return endTunnel() }
        guard let exchange else { return }
        if notHTTP { return refuse(.notHTTP(door.program)) }
        // The connection was closed while the request was on its way. It may have been worked on: only what changes nothing
        // is sent again, and once.
        let isRepeatable = head.method != .other && !head.hasBody && !exchange.isSecondTime
        guard !answered, isRepeatable else { return refuse(.brokenOff(door.program)) }
        exchange.isSecondTime = true
        exchange.wantsFresh = true
        send()
    }
}

extension CompiledStage {
    /// Whether a table is the one that this stage is of.
    func isPart(of table: CompiledTable) -> Bool {
        index < table.stages.count && table.stages[index] === self
    }
}
