import NIOCore

// From a body to the core, and from the core to an answer.
extension HTTPConnection: ReplyReceiver {
    /// Reading or writing more than this many bytes would keep all other clients waiting for a millisecond or more.
    private static let large = 512 << 10

    func submit(_ body: ByteBuffer) {
        let reading = BodyReading(
            route: current.route, model: service.core.name, jsonLength: current.jsonLength, isOctets: current.isOctets)
        guard body.readableBytes > HTTPConnection.large else {
            do throws(Router.Refusal) {
                submit(try reading.read(body, with: service.parser))
            } catch {
                refuse(error)
            }
            return
        }
        phase = .working
        offLoop {
            do throws(Router.Refusal) {
                return .success(try reading.read(body, with: BodyParser(model: reading.model)))
            } catch {
                return .failure(error)
            }
        } then: { [self] (result: Result<ReadRequest, Router.Refusal>) in
            switch result {
            case .success(let read): submit(read)
            case .failure(let refusal): refuse(refusal)
            }
        }
    }

    private func refuse(_ refusal: Router.Refusal) {
        current.door = refusal.door
        fail(refusal.error)
    }

    private func submit(_ read: ReadRequest) {
        current.route = read.route
        current.door = read.route.door
        current.wishes = read.wishes
        if case .v1Infer(let verb) = read.route { current.verb = verb }
        var request = read.request
        if service.core.description?.headers == true {
            request.headers = current.headers.map { ($0.name.lowercased(), $0.value) }
        }
        do throws(ServingError) {
            phase = .waiting(try service.core.submit(request, for: self))
        } catch {
            fail(error)
        }
    }

    /// Runs `work` on a thread of its own and goes on with its result, unless the client has gone meanwhile.
    private func offLoop<Value: Sendable>(
        _ work: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void
    ) {
        guard let loop = context?.eventLoop else { return }
        service.threads.runIfActive(eventLoop: loop, work).assumeIsolated().whenSuccess { [self] value in
            if case .working = phase { then(value) }
        }
    }

    func answerAtOnce() {
        response.begin()
        do throws(ServingError) {
            let type = try service.answer(current.route, to: &response.body)
            write(status: 200) { $0.contentType = "\(type)" }
        } catch {
            fail(error)
        }
    }

    // MARK: - Answers

    func receive(_ event: ReplyEvent, for id: RequestID) {
        switch event {
        case .outputs(let outputs, let parameters): writeOutputs(outputs, parameters)
        case .json(let json, let contentType): writeWhole(json, contentType: contentType, jsonLength: nil)
        case .chunk(let json): writeChunk(json, id)
        case .end: endStream()
        case .failure(let error):
            if case .streaming = phase { failStream(error) } else { fail(error) }
        }
    }

    private func writeOutputs(_ outputs: [OutputTensor], _ parameters: ByteBuffer?) {
        let isV2 = current.door == .v2
        let writing = AnswerWriting(
            isV2: isV2, verb: current.verb, wishes: current.wishes, model: service.core.name,
            newID: isV2 && current.wishes.id == nil ? service.newID() : "")
        guard outputs.reduce(0, { $0 + $1.bytes.readableBytes }) > HTTPConnection.large else {
            response.begin()
            do throws(ServingError) {
                let jsonLength = try writing.write(outputs, parameters: parameters, to: &response.body)
                write(status: 200) { head in
                    head.jsonLength = jsonLength
                    if jsonLength != nil { head.contentType = "application/octet-stream" }
                }
            } catch {
                fail(error)
            }
            return
        }
        phase = .working
        offLoop {
            var body = ByteBuffer()
            do throws(ServingError) {
                let jsonLength = try writing.write(outputs, parameters: parameters, to: &body)
                return .success((body, jsonLength))
            } catch {
                return .failure(error)
            }
        } then: { [self] (result: Result<(ByteBuffer, Int?), ServingError>) in
            switch result {
            case .success(let (body, jsonLength)):
                let type = jsonLength == nil ? nil : "application/octet-stream"
                writeWhole(body, contentType: type, jsonLength: jsonLength)
            case .failure(let error): fail(error)
            }
        }
    }

    private func writeWhole(_ body: ByteBuffer, contentType: String?, jsonLength: Int?) {
        response.begin()
        let isSmall = body.readableBytes <= 16 << 10
        if isSmall { response.body.writeImmutableBuffer(body) }
        write(status: 200, separate: isSmall ? nil : body) { head in
            // A handler's own. One that could end the line would write headers, or another answer.
            if let contentType, contentType.utf8.allSatisfy({ $0 >= 0x20 }) { head.contentType = contentType }
            head.jsonLength = jsonLength
        }
    }

    func fail(_ error: ServingError) {
        response.begin()
        ErrorBody.write(error, door: current.door, to: &response.body)
        write(status: error.status) { head in
            head.retryAfter = error.retryAfter
            head.allow = error.allow
        }
    }

    private var keepsAlive: Bool { current.keepAlive && !service.isDraining }

    /// Writes the answer and turns to the next request.
    /// - Parameter separate: the body, where it is too large to be copied behind its head.
    private func write(status: Int, separate: ByteBuffer? = nil, _ adjust: (inout Response.Head) -> Void) {
        var head = Response.Head(
            status: status, date: service.dateText(), keepAlive: keepsAlive, saysKeepAlive: current.isOldHTTP)
        adjust(&head)
        let bytes = response.finish(head, bodyLength: separate?.readableBytes, isHead: current.isHead)
        if let separate, !current.isHead {
            context?.write(wrapOutboundOut(bytes), promise: nil)
            end(status: status, last: separate)
        } else {
            end(status: status, last: bytes)
        }
    }

    /// Writes the last bytes of an answer and turns to the next request.
    func end(status: Int, last bytes: ByteBuffer) {
        service.core.metrics.request(current.door, code: status, seconds: current.elapsed)
        let keeps = keepsAlive
        phase = keeps ? .idle : .closing
        refund()
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        if keeps { replay() } else { linger(context) }
    }

    /// Closes our half once all is written, and reads on for a little: closing at once, while the client still sends, would
    /// take it the answer.
    private func linger(_ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let channel = context.channel
        let closed = loop.makePromise(of: Void.self)
        closed.futureResult.whenComplete { _ in
            loop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        }
        context.close(mode: .output, promise: closed)
    }
}
