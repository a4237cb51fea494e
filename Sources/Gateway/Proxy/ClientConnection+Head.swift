import NIOCore

extension ClientConnection {
    /// - Returns: false where the head is not whole yet.
    func readHead() -> Bool {
        skipEmptyLines()
        forgetRequest()
        enum Step {
            case wait(Int)
            case refuse(Refusal, read: Int)
            case pass(Int)
        }
        let step: Step = input.withUnsafeReadableBytes { bytes in
            switch HeadEnd.find(bytes, from: scanned) {
            case .notBefore(let offset):
                return bytes.count > RequestHead.limit ? .refuse(.headTooLarge, read: 0) : .wait(offset)
            case .bareLineFeed:
                return .refuse(.malformed("a line of the request ends without a carriage return"), read: 0)
            case .at(let end) where end > RequestHead.limit: return .refuse(.headTooLarge, read: 0)
            case .at(let end):
                do throws(Refusal) {
                    try head.parse(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
                    return .pass(try admit(bytes, end: end))
                } catch {
                    return .refuse(error, read: end)
                }
            }
        }
        switch step {
        case .wait(let offset):
            scanned = offset
            if !isHeadBegun, input.readableBytes > 0 {
                isHeadBegun = true
                deadline = loop.coarseNow + ClientConnection.headLimit
            }
            return false
        case .refuse(let refusal, let count):
            scanned = 0
            isHeadBegun = false
            input.moveReaderIndex(forwardBy: count)
            refuse(refusal)
        case .pass(let count):
            scanned = 0
            isHeadBegun = false
            input.moveReaderIndex(forwardBy: count)
            if case .none = bodyLeft { phase = .answer } else { phase = .body }
            deadline = loop.coarseNow + door.timeout
            send()
        }
        return true
    }

    /// What a refusal before the head is parsed would otherwise say of the request before.
    private func forgetRequest() {
        head.clear()
        requestID.removeAll(keepingCapacity: true)
        target.removeAll(keepingCapacity: true)
        pathLength = 0
        bodyLeft = .none
    }

    /// RFC 9112, 2.2: an empty line before a request is the end of a careless client's last body.
    private func skipEmptyLines() {
        while input.readableBytes >= 2, input.getInteger(at: input.readerIndex, as: UInt16.self) == 0x0d0a {
            input.moveReaderIndex(forwardBy: 2)
            scanned = 0
        }
    }

    /// - Returns: How many bytes of the input are now part of the request.
    private func admit(_ bytes: UnsafeRawBufferPointer, end: Int) throws(Refusal) -> Int {
        identify(bytes)
        bodyLeft =
            head.isChunked
            ? .chunked(ChunkedDecoder(), received: 0) : head.hasBody ? .length(head.contentLength ?? 0) : .none
        guard door.gate == nil else {
            exchange = AppExchange(started: .now(), head: UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            return end
        }
        return try route(bytes, end: end)
    }

    /// Decides who serves the request, and writes it as that one gets it.
    private func route(_ bytes: UnsafeRawBufferPointer, end: Int) throws(Refusal) -> Int {
        let started = NIODeadline.now()
        guard let match = try loop.currentTable().match(bytes, head.path) else { throw .noEndpoint }
        let exchange = RoutedExchange(started: started, stage: match.stage, counter: loop.counters[match.stage.index])
        exchange.stageEnd = match.stageEnd - head.target.lowerBound
        self.exchange = exchange
        try checkKey(bytes, match.stage)
        if let bucket = match.stage.bucket, let seconds = bucket.take(now: started) {
            throw .tooMany(bucket.rate, retryAfter: seconds)
        }
        guard let resource = match.resource else { throw missing(bytes, match) }
        if let length = head.contentLength, length > door.bodyLimit { throw .bodyTooLarge(limit: door.bodyLimit) }
        exchange.resource = resource
        exchange.rest = match.rest - head.target.lowerBound
        exchange.drawCanary(loop)
        exchange.drawShadows(of: match.stage, loop)
        exchange.resource?.use.countRequest()
        exchange.lineLength = writeRequest(bytes, end: end, rest: match.rest)
        return end + takeSmallBody(bytes, end: end)
    }

    private func identify(_ bytes: UnsafeRawBufferPointer) {
        target.removeAll(keepingCapacity: true)
        target.append(contentsOf: bytes[head.target])
        method.removeAll(keepingCapacity: true)
        method.append(contentsOf: bytes[head.methodRange])
        pathLength = head.path.count
        let isUsable =
            (1...128).contains(head.requestID.count) && bytes[head.requestID].allSatisfy { (33...126).contains($0) }
        if isUsable {
            requestID.removeAll(keepingCapacity: true)
            requestID.append(contentsOf: bytes[head.requestID])
        } else {
            loop.random.writeUUID(to: &requestID)
        }
    }

    private func checkKey(_ bytes: UnsafeRawBufferPointer, _ stage: CompiledStage) throws(Refusal) {
        guard !stage.keys.isEmpty else { return }
        var key = head.key
        if key.isEmpty, head.authorization.count > 7 {
            let scheme = head.authorization.lowerBound..<head.authorization.lowerBound + 7
            if bytes.isToken(scheme, "bearer ") {
                key = bytes.trimmed(scheme.upperBound..<head.authorization.upperBound)
            }
        }
        guard !key.isEmpty else { throw .keyMissing }
        guard stage.keys.holds(UnsafeRawBufferPointer(rebasing: bytes[key])) else { throw .keyWrong }
    }

    private func missing(_ bytes: UnsafeRawBufferPointer, _ match: RouteMatch) -> Refusal {
        let next = min(match.name.upperBound + 1, head.path.upperBound)
        if bytes.isExactly(match.name, "stages"), next < head.path.upperBound {
            return .noStage(
                PathPart.text(bytes, next..<PathPart.end(bytes, from: next, end: head.path.upperBound)))
        }
        return .noModel(PathPart.text(bytes, match.name))
    }

    /// Appends the body to the request where it is small and all there, so that both go out together.
    /// - Returns: Its bytes.
    private func takeSmallBody(_ bytes: UnsafeRawBufferPointer, end: Int) -> Int {
        guard case .length(let length) = bodyLeft, length <= ClientConnection.small, bytes.count - end >= length else {
            return 0
        }
        request.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[end..<end + length]))
        bodyLeft = .none
        return length
    }
}

extension RoutedExchange {
    /// Draws whether a canary stage serves the request: by its resource of the same name, if it has one.
    func drawCanary(_ loop: EventLoopContext) {
        guard !stage.canaries.isEmpty, let name = resource?.nameBytes,
            let drawn = Balancer.share(stage.canaries, random: Int.random(in: 0..<100, using: &loop.random)),
            let canary = loop.table.stages[drawn].resource(name)
        else { return }
        stage = loop.table.stages[drawn]
        counter = loop.counters[drawn]
        resource = canary
    }

    /// Draws which of a stage's shadow stages get a copy.
    func drawShadows(of original: CompiledStage, _ loop: EventLoopContext) {
        guard !original.shadows.isEmpty else { return }
        shadows = original.shadows.compactMap { share in
            Int.random(in: 0..<100, using: &loop.random) < share.percent ? loop.table.stages[share.stage] : nil
        }
        copy = shadows.isEmpty ? nil : ByteBuffer()
    }
}
