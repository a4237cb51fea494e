import NIOCore

extension ClientConnection {
    /// Passes on what has come of the body, as far as the backend takes it.
    /// - Returns: Whether there may be more to do.
    func forwardBody() -> Bool {
        guard let upstream = exchange?.upstream, upstream.isWritable, input.readableBytes > 0 else { return false }
        deadline = loop.coarseNow + ClientConnection.bodyLimit
        switch bodyLeft {
        case .none: completeBody(upstream)
        case .length(let left):
            guard let data = input.readSlice(length: min(left, input.readableBytes)) else { return false }
            pass(data, to: upstream)
            bodyLeft = .length(left - data.readableBytes)
            if data.readableBytes == left { completeBody(upstream) }
        case .chunked(var decoder, var received):
            // The value is put back below; two owners at once would copy nothing here, since it has no storage.
            let isWhole = forwardChunks(&decoder, &received, upstream)
            guard case .body = phase else { return true }
            bodyLeft = .chunked(decoder, received: received)
            if isWhole { completeBody(upstream) }
        }
        upstream.flush()
        if case .body = phase { return false }
        return true
    }

    private func forwardChunks(_ decoder: inout ChunkedDecoder, _ received: inout Int, _ upstream: UpstreamConnection)
        -> Bool
    {
        // Small chunks go out together.
        var frames = ByteBuffer()
        while true {
            switch decoder.next(&input) {
            case .data(let data):
                received += data.readableBytes
                guard received <= door.bodyLimit else {
                    refuse(.bodyTooLarge(limit: door.bodyLimit))
                    return false
                }
                frames.writeHead(upTo: 18) { $0.write(chunkLine: data.readableBytes) }
                if data.readableBytes <= ClientConnection.small {
                    frames.writeImmutableBuffer(data)
                } else {
                    pass(frames, to: upstream)
                    pass(data, to: upstream)
                    frames = ByteBuffer()
                }
                frames.writeStaticString("\r\n")
            case .end:
                frames.writeStaticString("0\r\n\r\n")
                pass(frames, to: upstream)
                return true
            case .incomplete:
                if frames.readableBytes > 0 { pass(frames, to: upstream) }
                return false
            case .malformed:
                refuse(.malformed("the chunked body is malformed"))
                return false
            }
        }
    }

    private func pass(_ data: ByteBuffer, to upstream: UpstreamConnection) {
        upstream.write(data)
        copyForShadows(data)
    }

    private func completeBody(_ upstream: UpstreamConnection) {
        bodyLeft = .none
        phase = .answer
        upstream.completeRequest()
        // An answer that began before has its own limit: how fast the client takes it.
        if exchange?.status == 0 { deadline = loop.coarseNow + door.timeout }
        sendShadows()
    }

    /// Throws away what is left of a request that has been answered.
    /// - Returns: Whether there may be more to do.
    func discardBody() -> Bool {
        switch bodyLeft {
        case .none: break
        case .length(let left):
            let count = min(left, input.readableBytes)
            input.moveReaderIndex(forwardBy: count)
            bodyLeft = .length(left - count)
            guard count == left else { return false }
        case .chunked(var decoder, let received):
            loop: while true {
                switch decoder.next(&input) {
                case .data(let data):
                    // More than is worth reading only to keep a connection.
                    if received + data.readableBytes > ClientConnection.readAhead {
                        linger()
                        return false
                    }
                    bodyLeft = .chunked(decoder, received: received + data.readableBytes)
                    return true
                case .end: break loop
                case .incomplete:
                    bodyLeft = .chunked(decoder, received: received)
                    return false
                case .malformed:
                    linger()
                    return false
                }
            }
        }
        bodyLeft = .none
        phase = .head
        deadline = loop.coarseNow + ClientConnection.idleLimit
        return true
    }
}

extension HeadWriter {
    /// The line before a chunk's data: at most 18 bytes.
    mutating func write(chunkLine size: Int) {
        var shift = max(0, Int.bitWidth - size.leadingZeroBitCount - 1) / 4 * 4
        while shift >= 0 {
            write([JSONString.hexadecimal(UInt8(size >> shift & 15))])
            shift -= 4
        }
        write("\r\n")
    }
}
