import NIOCore

extension ClientConnection: ResponseReceiver {
    var takesMore: Bool { context?.channel.isWritable ?? false }

    func receive(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
        if head.status == 101 {
            guard self.head.wantsWebSocket else { return failUpstream(.notHTTP(door.program)) }
            return beginTunnel(head, bytes)
        }
        // Answered before the request was whole: where the rest of it ends is not waited for.
        let isEarly = if case .body = phase { true } else { false }
        var framing = head.framing
        if framing == .chunked || framing == .untilClose { framing = self.head.isHTTP10 ? .untilClose : .chunked }
        let closes = !self.head.keepsAlive || loop.isDraining || isEarly || framing == .untilClose
        exchange?.status = head.status
        exchange?.framing = framing
        exchange?.closes = closes
        if let app = exchange?.app { record(app, status: head.status) }
        deadline = .distantFuture
        prepareOutput()
        output.writeHead(upTo: bytes.count + requestID.count + 256) { writer in
            writer.write("HTTP/1.1 ")
            writer.write(bytes, head.statusText)
            writer.write("\r\n")
            for lines in head.kept.runs { writer.write(bytes, lines) }
            writer.write("X-Request-Id: ")
            writer.write(requestID)
            writer.write("\r\n")
            if framing == .chunked {
                writer.write("Transfer-Encoding: chunked\r\n")
            } else if let length = head.contentLength, head.status != 204 {
                writer.write("Content-Length: ")
                writer.write(length)
                writer.write("\r\n")
            }
            if closes {
                writer.write("Connection: close\r\n")
            } else if self.head.isHTTP10 {
                writer.write("Connection: keep-alive\r\n")
            }
            writer.write("\r\n")
        }
    }

    func receive(_ data: ByteBuffer) {
        guard let exchange else { return }
        if case .tunnel = phase {
            context?.write(wrapOutboundOut(data), promise: nil)
            return
        }
        let isChunked = exchange.framing == .chunked
        if isChunked {
            prepareOutput()
            output.writeHead(upTo: 18) { $0.write(chunkLine: data.readableBytes) }
        }
        let waiting = isOutputSent ? 0 : output.readableBytes
        if waiting + data.readableBytes <= ClientConnection.small {
            prepareOutput()
            output.writeImmutableBuffer(data)
        } else {
            writeOutput()
            context?.write(wrapOutboundOut(data), promise: nil)
        }
        if isChunked {
            prepareOutput()
            output.writeStaticString("\r\n")
        }
    }

    func receiveFlush() {
        if isOutputSent {
            context?.flush()
        } else if let context {
            isOutputSent = true
            context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        }
        if case .answer = phase, context?.channel.isWritable == false {
            deadline = loop.coarseNow + ClientConnection.bodyLimit
        }
    }

    func receiveEnd() {
        guard let exchange else { return }
        exchange.upstream = nil
        leaveBackend()
        if exchange.framing == .chunked {
            prepareOutput()
            output.writeStaticString("0\r\n\r\n")
        }
        receiveFlush()
        guard let context else { return }
        if context.channel.isWritable { return endAnswer() }
        // More than the kernel takes at once: the answer is not through before the client has taken it.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { self.endAnswer() }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    private func endAnswer() {
        guard let exchange else { return }
        endExchange(status: exchange.status)
        let isWhole = if case .answer = phase { true } else { false }
        if exchange.closes || !isWhole { return linger() }
        phase = .head
        if loop.isDraining, input.readableBytes == 0 { return linger() }
        deadline = loop.coarseNow + ClientConnection.idleLimit
        process()
    }

    /// Closes the connection to the backend, and refuses the request.
    private func failUpstream(_ refusal: Refusal) {
        exchange?.upstream?.abandon()
        exchange?.upstream = nil
        refuse(refusal)
    }

    // MARK: - Output

    /// Makes the output ready to be added to. What was sent is overwritten in place, once the kernel has it.
    func prepareOutput() {
        guard isOutputSent else { return }
        isOutputSent = false
        if output.capacity > 4 * ClientConnection.small { output = ByteBuffer() } else { output.clear() }
    }

    private func writeOutput() {
        guard !isOutputSent else { return }
        isOutputSent = true
        context?.write(wrapOutboundOut(output), promise: nil)
    }
}
