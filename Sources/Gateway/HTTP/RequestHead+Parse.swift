import Foundation

extension RequestHead {
    static let limit = 64 << 10

    /// Parses a whole head.
    /// - Parameter bytes: The head with its empty line, and nothing more.
    mutating func parse(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        clear()
        var lines = HeadLines(bytes)
        guard let first = lines.next() else { throw .malformed("the request is empty") }
        try parseLine(bytes, first)
        var scan = HeaderScan()
        while let line = lines.next(), !line.isEmpty {
            guard let (name, value) = HeadLines.split(bytes, line) else {
                throw .malformed("a header is not of the form Name: value on one line")
            }
            let isKept = try take(bytes, name: name, value: value, scan: &scan)
            if isKept { kept.keep(line) }
        }
        try finish(bytes, scan)
    }

    /// What is decided only when all headers have been seen.
    private struct HeaderScan {
        var hosts = 0
        var lengths = 0
        var codings = 0
        var connection = ConnectionOptions()
        var upgrade = 0..<0
    }

    private mutating func parseLine(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) throws(Refusal) {
        let wrong = Refusal.malformed("the request's first line is not one of HTTP/1.1")
        var index = line.lowerBound
        while index < line.upperBound, Bytes.isToken(bytes[index]) { index += 1 }
        methodRange = line.lowerBound..<index
        guard !methodRange.isEmpty, index < line.upperBound, bytes[index] == Bytes.space else { throw wrong }
        // Case counts: to whoever answers, `head` is an unknown method and its answer has a body.
        method = bytes.isExactly(methodRange, "GET") ? .get : bytes.isExactly(methodRange, "HEAD") ? .head : .other
        index += 1
        let start = index
        var query: Int?
        while index < line.upperBound, bytes[index] > Bytes.space, bytes[index] != 127 {
            if bytes[index] == UInt8(ascii: "?"), query == nil { query = index }
            index += 1
        }
        target = start..<index
        guard index + 9 == line.upperBound, bytes[index] == Bytes.space else { throw wrong }
        guard bytes.isExactly(index + 1..<index + 6, "HTTP/") else { throw wrong }
        switch (bytes[index + 6], bytes[index + 7], bytes[index + 8]) {
        case (UInt8(ascii: "1"), UInt8(ascii: "."), UInt8(ascii: "1")): break
        case (UInt8(ascii: "1"), UInt8(ascii: "."), UInt8(ascii: "0")): isHTTP10 = true
        default: throw Refusal(status: 505, message: "only HTTP/1.1 is spoken here", closes: true)
        }
        try findPath(bytes, query: query)
    }

    /// `GET http://host/path` is allowed, too (RFC 9112, 3.2.2), and means the same here.
    private mutating func findPath(_ bytes: UnsafeRawBufferPointer, query: Int?) throws(Refusal) {
        guard let first = target.first, bytes[first] != Bytes.slash else {
            path = target.lowerBound..<(query ?? target.upperBound)
            guard !path.isEmpty else { throw .malformed("the request has no path") }
            return
        }
        for scheme in ["http://", "https://"] as [StaticString] {
            let end = target.lowerBound + scheme.utf8CodeUnitCount
            guard end <= target.upperBound, bytes.isToken(target.lowerBound..<end, scheme) else { continue }
            guard let slash = bytes[end..<target.upperBound].firstIndex(of: Bytes.slash), slash < query ?? .max else {
                break
            }
            target = slash..<target.upperBound
            path = slash..<(query ?? target.upperBound)
            return
        }
        throw .malformed("the request's target is not a path")
    }

    /// - Returns: Whether the header is passed on as it is.
    private mutating func take(
        _ bytes: UnsafeRawBufferPointer, name: Range<Int>, value: Range<Int>, scan: inout HeaderScan
    ) throws(Refusal) -> Bool {
        switch name.count {
        case 2 where bytes.isToken(name, "te"): return false
        case 4 where bytes.isToken(name, "host"):
            host = value
            scan.hosts += 1
        case 6 where bytes.isToken(name, "cookie"): return false
        case 6 where bytes.isToken(name, "expect"):
            guard bytes.isToken(value, "100-continue") else {
                throw Refusal(status: 417, message: "nothing but 100-continue can be expected", closes: true)
            }
            expectsContinue = true
            return false
        case 7 where bytes.isToken(name, "trailer"): return false
        case 7 where bytes.isToken(name, "upgrade"):
            scan.upgrade = value
            return false
        case 9 where bytes.isToken(name, "x-api-key"):
            key = value
            return false
        case 10 where bytes.isToken(name, "connection"):
            scan.connection.read(bytes, value)
            return false
        case 10 where bytes.isToken(name, "keep-alive"): return false
        case 12 where bytes.isToken(name, "x-request-id"):
            requestID = value
            return false
        case 13 where bytes.isToken(name, "authorization"):
            authorization = value
            return false
        case 14 where bytes.isToken(name, "content-length"):
            guard let length = bytes.decimal(value) else { throw .malformed("Content-Length is not a number") }
            contentLength = length
            scan.lengths += 1
            return false
        case 15 where bytes.isToken(name, "x-forwarded-for"):
            forwardedFor = value
            return false
        case 16 where bytes.isToken(name, "proxy-connection") || bytes.isToken(name, "x-forwarded-host"): return false
        case 17 where bytes.isToken(name, "transfer-encoding"):
            scan.codings += 1
            guard bytes.isToken(value, "chunked") else {
                throw Refusal(status: 501, message: "no transfer coding but chunked is known here", closes: true)
            }
            isChunked = true
            return false
        case 17 where bytes.isToken(name, "x-forwarded-proto") || bytes.isToken(name, "x-easymaker-token"):
            return false
        case 18 where bytes.isToken(name, "proxy-authenticate"): return false
        case 19 where bytes.isToken(name, "proxy-authorization") || bytes.isToken(name, "x-nhn-authorization"):
            return false
        default: break
        }
        return true
    }

    private mutating func finish(_ bytes: UnsafeRawBufferPointer, _ scan: HeaderScan) throws(Refusal) {
        if scan.lengths > 1 { throw .malformed("Content-Length is there more than once") }
        if scan.codings > 1 { throw .malformed("Transfer-Encoding is there more than once") }
        if scan.codings > 0, scan.lengths > 0 || isHTTP10 {
            throw .malformed("Transfer-Encoding cannot be together with Content-Length or HTTP/1.0")
        }
        if scan.hosts > 1 || scan.hosts == 0 && !isHTTP10 {
            throw .malformed("there must be one Host header")
        }
        keepsAlive = scan.connection.lasts(isHTTP10: isHTTP10)
        expectsContinue = expectsContinue && !isHTTP10
        wantsWebSocket =
            scan.connection.upgrades && method == .get && !hasBody && !isHTTP10
            && bytes.isToken(scan.upgrade, "websocket")
        if !scan.connection.named.isEmpty { kept.drop(scan.connection.named, bytes) }
    }
}
