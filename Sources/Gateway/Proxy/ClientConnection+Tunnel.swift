import NIOCore

extension ClientConnection {
    /// From here on bytes go both ways as they come, and each side may stop sending before the other.
    func beginTunnel(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
        guard let upstream = exchange?.upstream, let context else { return }
        prepareOutput()
        output.writeHead(upTo: bytes.count + requestID.count + 256) { writer in
            writer.write("HTTP/1.1 ")
            writer.write(bytes, head.statusText)
            writer.write("\r\n")
            for lines in head.kept.runs { writer.write(bytes, lines) }
            writer.write("X-Request-Id: ")
            writer.write(requestID)
            writer.write("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        }
        if let exchange { record(exchange, status: 101) }
        exchange?.status = 101
        phase = .tunnel
        deadline = .distantFuture
        try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        upstream.becomeTunnel()
        receiveFlush()
        if input.readableBytes > 0 {
            upstream.write(input)
            upstream.flush()
            input = ByteBuffer()
        }
    }

    func upstreamInputClosed() {
        guard case .tunnel = phase else { return }
        context?.closeOutputAfterWrites()
    }

    /// The backend's side has gone altogether: what came from it still goes out.
    func endTunnel() {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.close() }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }
}
