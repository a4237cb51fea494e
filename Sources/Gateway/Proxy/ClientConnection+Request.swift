import NIOCore

extension ClientConnection {
    /// Writes the request's head as its backend gets it.
    /// - Parameter rest: Where in the path begins what the backend gets.
    /// - Returns: The first line's length.
    func writeRequest(_ bytes: UnsafeRawBufferPointer, end: Int, rest: Int) -> Int {
        // More than a large head took is not kept for the next.
        if request.capacity > 4 * ClientConnection.small { request = ByteBuffer() } else { request.clear() }
        let path = rest..<head.path.upperBound
        let query = head.path.upperBound..<head.target.upperBound
        let isPlain = bytes[rest..<head.target.upperBound].allSatisfy { $0 < 128 }
        var lineLength = 0
        request.writeHead(upTo: (isPlain ? 2 : 4) * end + peer.count + requestID.count + 512) { writer in
            writer.write(bytes, head.methodRange)
            writer.write(path.isEmpty ? " /" : " ")
            if isPlain {
                writer.write(bytes, rest..<head.target.upperBound)
            } else {
                writer.writeEscaped(bytes, path)
                writer.writeEscaped(bytes, query)
            }
            writer.write(" HTTP/1.1\r\n")
            lineLength = writer.count
            for lines in head.kept.runs { writer.write(bytes, lines) }
            writeAdded(bytes, &writer)
            writeFraming(&writer)
            writer.write("\r\n")
        }
        return lineLength
    }

    func writeAdded(_ bytes: UnsafeRawBufferPointer, _ writer: inout HeadWriter) {
        if head.host.isEmpty {
            if head.isHTTP10 { writer.write("Host: 127.0.0.1\r\n") }
        } else {
            writer.write("X-Forwarded-Host: ")
            writer.write(bytes, head.host)
            writer.write("\r\n")
        }
        writer.write("X-Forwarded-For: ")
        if !head.forwardedFor.isEmpty {
            writer.write(bytes, head.forwardedFor)
            writer.write(", ")
        }
        writer.write(peer)
        writer.write(
            isTLS ? "\r\nX-Forwarded-Proto: https\r\nX-Request-Id: " : "\r\nX-Forwarded-Proto: http\r\nX-Request-Id: ")
        writer.write(requestID)
        writer.write("\r\n")
    }

    func writeFraming(_ writer: inout HeadWriter) {
        if head.isChunked {
            writer.write("Transfer-Encoding: chunked\r\n")
        } else if let length = head.contentLength {
            writer.write("Content-Length: ")
            writer.write(length)
            writer.write("\r\n")
        }
        if head.wantsWebSocket { writer.write("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
    }

    /// Puts another path into the first line: a new table cut the prefix elsewhere.
    func replaceLine(rest: Int) {
        guard let exchange = exchange?.route, exchange.rest != rest else { return }
        var changed = ByteBuffer()
        target.withUnsafeBytes { bytes in
            changed.writeHead(upTo: 3 * target.count + method.count + 32) { writer in
                writer.write(method)
                writer.write(rest >= pathLength ? " /" : " ")
                writer.writeEscaped(bytes, rest..<target.count)
                writer.write(" HTTP/1.1\r\n")
            }
        }
        request.moveReaderIndex(forwardBy: exchange.lineLength)
        exchange.rest = rest
        exchange.lineLength = changed.readableBytes
        changed.writeBuffer(&request)
        request = changed
    }
}

extension HeadWriter {
    /// Percent-encodes what no target may have: some clients send UTF-8 as it is, which not every server takes.
    mutating func writeEscaped(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        for index in range {
            let byte = bytes[index]
            if byte > Bytes.space, byte < 127 {
                write(bytes, index..<index + 1)
            } else {
                write([Bytes.percent, JSONString.hexadecimal(byte >> 4), JSONString.hexadecimal(byte & 15)])
            }
        }
    }
}
