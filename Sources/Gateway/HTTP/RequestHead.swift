import Foundation

/// What matters here of a request's line and headers. Ranges are offsets into the bytes that it was parsed from.
///
/// Not by NIOHTTP1: that makes two strings of every header, while almost all of them only pass through as bytes, and it does
/// not tell of folded lines, doubled lengths or bare line feeds, which a proxy must refuse.
struct RequestHead {
    enum Method { case get, head, other }

    var method = Method.other
    var methodRange = 0..<0
    /// Path and query.
    var target = 0..<0
    var path = 0..<0
    var isHTTP10 = false
    var keepsAlive = true
    /// nil without one.
    var contentLength: Int?
    var isChunked = false
    var expectsContinue = false
    var wantsWebSocket = false
    /// Empty where the header is absent.
    var host = 0..<0
    var requestID = 0..<0
    var forwardedFor = 0..<0
    var authorization = 0..<0
    var key = 0..<0
    var kept = KeptLines()

    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    /// Forgets what was parsed but keeps the memory.
    mutating func clear() {
        var kept = self.kept
        kept.clear()
        self = RequestHead()
        self.kept = kept
    }
}

/// Where the empty line is that ends a head.
enum HeadEnd: Equatable {
    /// Bytes of the head, the empty line among them.
    case at(Int)
    /// None yet; the search may go on from the given offset.
    case notBefore(Int)
    /// A line that ends without a carriage return.
    case bareLineFeed

    static func find(_ bytes: UnsafeRawBufferPointer, from start: Int) -> HeadEnd {
        guard let base = bytes.baseAddress else { return .notBefore(0) }
        var index = start
        while index < bytes.count,
            let found = memchr(base + index, Int32(Bytes.lineFeed), bytes.count - index)
        {
            let feed = UnsafeRawPointer(found) - base
            guard feed > 0, bytes[feed - 1] == Bytes.carriageReturn else { return .bareLineFeed }
            if feed >= 3, bytes[feed - 2] == Bytes.lineFeed { return .at(feed + 1) }
            index = feed + 1
        }
        return .notBefore(max(start, bytes.count))
    }
}
