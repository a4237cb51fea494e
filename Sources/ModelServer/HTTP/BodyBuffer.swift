import NIOCore

/// A request's body while it comes in.
struct BodyBuffer {
    private(set) var bytes = ByteBuffer()
    private var isOwn = false
    /// The body's length, where it was said; else 0.
    private var expected = 0

    /// More is not set aside on a client's word alone.
    private static let trusted = 16 << 20

    init(expected: Int = 0) { self.expected = min(expected, BodyBuffer.trusted) }

    mutating func append(_ part: ByteBuffer) {
        // A body that comes in one piece stays where it was read to.
        if bytes.readableBytes == 0, !isOwn, part.readableBytes >= expected {
            bytes = part
            return
        }
        if !isOwn {
            var own = ByteBuffer()
            own.reserveCapacity(max(expected, 2 * (bytes.readableBytes + part.readableBytes)))
            own.writeImmutableBuffer(bytes)
            bytes = own
            isOwn = true
        }
        bytes.writeImmutableBuffer(part)
    }
}
