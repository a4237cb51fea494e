import NIOCore

// Answers as server-sent events.
extension HTTPConnection {
    /// A client that is this far behind has its generation ended. Holding back the worker's connection instead would make
    /// every other client wait for this one.
    private static let unsentLimit = 4 << 20

    func writeChunk(_ json: ByteBuffer, _ id: RequestID) {
        if case .waiting = phase { beginStream(id) }
        var event = ByteBuffer()
        event.reserveCapacity(json.readableBytes + 64)
        event.writeStaticString("data: ")
        event.writeImmutableBuffer(json)
        event.writeStaticString("\n\n")
        write(event)
        guard unsent > HTTPConnection.unsentLimit else { return }
        abandon(id)
        phase = .closing
        close()
    }

    private func beginStream(_ id: RequestID) {
        phase = .streaming(id)
        unsent = 0
        // HTTP/1.0 has no chunks: the connection's end is the answer's.
        if current.isOldHTTP { current.keepAlive = false }
        response.begin()
        let head = Response.Head(
            status: 200, contentType: "text/event-stream; charset=utf-8", date: service.dateText(),
            keepAlive: !current.isOldHTTP, isChunked: true)
        context?.write(wrapOutboundOut(response.finish(head)), promise: nil)
    }

    private func write(_ event: ByteBuffer) {
        guard let context else { return }
        var bytes = event
        if !current.isOldHTTP {
            bytes = ByteBuffer()
            bytes.writeString(String(event.readableBytes, radix: 16))
            bytes.writeStaticString("\r\n")
            bytes.writeImmutableBuffer(event)
            bytes.writeStaticString("\r\n")
        }
        let size = bytes.readableBytes
        unsent += size
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in unsent -= size }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: sent)
    }

    func endStream() {
        if case .waiting = phase {
            return fail(ServingError(500, "The model ended its answer before it had begun."))
        }
        write(ByteBuffer(staticString: "data: [DONE]\n\n"))
        finishStream(status: 200)
    }

    /// The status has been sent; what is left is an event that clients of OpenAI read as an error.
    func failStream(_ error: ServingError) {
        var event = ByteBuffer(staticString: "data: ")
        ErrorBody.write(error, door: .openai, to: &event)
        event.writeStaticString("\n\n")
        write(event)
        finishStream(status: error.status)
    }

    private func finishStream(status: Int) {
        end(status: status, last: current.isOldHTTP ? ByteBuffer() : ByteBuffer(staticString: "0\r\n\r\n"))
    }
}
