import NIOCore

/// Writes an answer into one buffer: the body first, then the head right before it, since only then its length is known.
struct Response {
    /// Room for the longest head that we write.
    private static let headroom = 512
    /// A buffer that grew larger than this is not kept for the next answer.
    private static let kept = 64 << 10

    private var buffer = ByteBuffer()
    private var head = ByteBuffer()

    /// Begins an answer.
    mutating func begin() {
        if buffer.capacity > Response.kept { buffer = ByteBuffer() }
        buffer.clear()
        buffer.reserveCapacity(1024)
        buffer.moveWriterIndex(to: Response.headroom)
        buffer.moveReaderIndex(to: Response.headroom)
    }

    var body: ByteBuffer {
        get { buffer }
        _modify { yield &buffer }
    }

    struct Head {
        var status: Int
        var contentType = "application/json"
        var date: String
        var keepAlive: Bool
        /// Of an HTTP/1.0 client, who must be told that the connection stays.
        var saysKeepAlive = false
        var retryAfter: Int?
        var allow: String?
        var jsonLength: Int?
        var isChunked = false
    }

    /// - Parameter bodyLength: of a body that follows in buffers of its own; nil for what `body` holds.
    /// - Returns: head and body; the head alone for an answer to `HEAD`.
    mutating func finish(_ parts: Head, bodyLength: Int? = nil, isHead: Bool = false) -> ByteBuffer {
        writeHead(parts, length: bodyLength ?? buffer.readableBytes)
        if isHead { return head }
        buffer.setBuffer(head, at: Response.headroom - head.readableBytes)
        buffer.moveReaderIndex(to: Response.headroom - head.readableBytes)
        return buffer
    }

    private mutating func writeHead(_ parts: Head, length: Int) {
        head.clear()
        head.writeStaticString(parts.status == 200 ? "HTTP/1.1 200 OK\r\nContent-Type: " : "HTTP/1.1 ")
        if parts.status != 200 {
            head.writeString(String(parts.status))
            head.writeStaticString(Response.reason(parts.status))
            head.writeStaticString("\r\nContent-Type: ")
        }
        head.writeString(parts.contentType)
        if parts.isChunked {
            head.writeStaticString("\r\nCache-Control: no-cache")
            if parts.keepAlive { head.writeStaticString("\r\nTransfer-Encoding: chunked") }
        } else {
            head.writeStaticString("\r\nContent-Length: ")
            head.writeDecimal(length)
        }
        head.writeStaticString("\r\nDate: ")
        head.writeString(parts.date)
        if let length = parts.jsonLength {
            head.writeStaticString("\r\nInference-Header-Content-Length: ")
            head.writeDecimal(length)
        }
        if let retry = parts.retryAfter {
            head.writeStaticString("\r\nRetry-After: ")
            head.writeDecimal(retry)
        }
        if let allow = parts.allow {
            head.writeStaticString("\r\nAllow: ")
            head.writeString(allow)
        }
        if !parts.keepAlive {
            head.writeStaticString("\r\nConnection: close")
        } else if parts.saysKeepAlive {
            head.writeStaticString("\r\nConnection: keep-alive")
        }
        head.writeStaticString("\r\n\r\n")
    }

    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 400: " Bad Request"
        case 404: " Not Found"
        case 405: " Method Not Allowed"
        case 408: " Request Timeout"
        case 413: " Content Too Large"
        case 431: " Request Header Fields Too Large"
        case 500: " Internal Server Error"
        case 501: " Not Implemented"
        case 503: " Service Unavailable"
        case 504: " Gateway Timeout"
        default: " -"
        }
    }
}
