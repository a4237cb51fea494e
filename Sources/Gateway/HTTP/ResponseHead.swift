/// What matters here of an answer's line and headers, as `RequestHead`.
struct ResponseHead {
    enum Framing: Equatable {
        case none
        case length(Int)
        case chunked
        /// To where the connection ends.
        case untilClose
    }

    var status = 0
    /// From the status to the line's end: `200 OK`.
    var statusText = 0..<0
    var framing = Framing.none
    /// As it was said; also where there is no body, in answers to HEAD.
    var contentLength: Int?
    var keepsAlive = true
    var upgrade = 0..<0
    var kept = KeptLines()

    /// Parses a whole head.
    /// - Parameters:
    ///   - bytes: The head with its empty line, and nothing more.
    ///   - toHead: Whether it answers HEAD, and so has no body whatever it says.
    /// - Returns: false where it is not an answer of HTTP/1.
    mutating func parse(_ bytes: UnsafeRawBufferPointer, toHead: Bool) -> Bool {
        clear()
        var lines = HeadLines(bytes)
        guard let first = lines.next(), let isHTTP10 = parseLine(bytes, first) else { return false }
        var scan = HeaderScan()
        while let line = lines.next(), !line.isEmpty {
            guard let (name, value) = HeadLines.split(bytes, line) else { return false }
            if take(bytes, name: name, value: value, scan: &scan) { kept.keep(line) }
        }
        guard !scan.isWrong, scan.codings < 2, scan.codings == 0 || contentLength == nil else { return false }
        if !scan.connection.named.isEmpty { kept.drop(scan.connection.named, bytes) }
        keepsAlive = scan.connection.lasts(isHTTP10: isHTTP10)
        if toHead || status < 200 || status == 204 || status == 304 {
            framing = .none
        } else if scan.codings == 1 {
            framing = .chunked
        } else if let contentLength {
            framing = contentLength == 0 ? .none : .length(contentLength)
        } else {
            framing = .untilClose
            keepsAlive = false
        }
        return true
    }

    private struct HeaderScan {
        var codings = 0
        var connection = ConnectionOptions()
        var isWrong = false
    }

    private mutating func clear() {
        var kept = self.kept
        kept.clear()
        self = ResponseHead()
        self.kept = kept
    }

    /// - Returns: Whether it is HTTP/1.0; nil where it is no status line.
    private mutating func parseLine(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> Bool? {
        let start = line.lowerBound
        guard line.count >= 12, bytes.isExactly(start..<start + 7, "HTTP/1."), bytes[start + 8] == Bytes.space,
            let status = bytes.decimal(start + 9..<start + 12), status >= 100,
            line.count == 12 || bytes[start + 12] == Bytes.space
        else { return nil }
        guard bytes[line].allSatisfy({ Bytes.isFieldValue($0) }) else { return nil }
        self.status = status
        statusText = start + 9..<line.upperBound
        switch bytes[start + 7] {
        case UInt8(ascii: "0"): return true
        case UInt8(ascii: "1"): return false
        default: return nil
        }
    }

    /// - Returns: Whether the header is passed on as it is.
    private mutating func take(
        _ bytes: UnsafeRawBufferPointer, name: Range<Int>, value: Range<Int>, scan: inout HeaderScan
    ) -> Bool {
        switch name.count {
        case 7 where bytes.isToken(name, "trailer"): return false
        case 7 where bytes.isToken(name, "upgrade"):
            upgrade = value
            return false
        case 10 where bytes.isToken(name, "connection"):
            scan.connection.read(bytes, value)
            return false
        case 10 where bytes.isToken(name, "keep-alive"): return false
        // A cookie counts for the whole host and all its ports: a model must not replace the console's.
        case 10 where bytes.isToken(name, "set-cookie"): return false
        case 12 where bytes.isToken(name, "x-request-id"): return false
        // These, too, count for the whole host, or for all programs of an origin.
        case 15 where bytes.isToken(name, "clear-site-data"): return false
        case 22 where bytes.isToken(name, "service-worker-allowed"): return false
        case 25 where bytes.isToken(name, "strict-transport-security"): return false
        case 14 where bytes.isToken(name, "content-length"):
            guard let length = bytes.decimal(value), contentLength == nil else {
                scan.isWrong = true
                return false
            }
            contentLength = length
            return false
        case 17 where bytes.isToken(name, "transfer-encoding"):
            scan.codings += 1
            scan.isWrong = scan.isWrong || !bytes.isToken(value, "chunked")
            return false
        case 16 where bytes.isToken(name, "proxy-connection"): return false
        case 18 where bytes.isToken(name, "proxy-authenticate"): return false
        default: return true
        }
    }
}
