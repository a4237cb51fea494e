import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A stretch of a file as the body of a request: read as it is sent, so that its size does not matter.
struct FileChunks: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let path: String
    var range: Range<Int>

    func makeAsyncIterator() -> Iterator { Iterator(path: path, range: range) }

    /// A class, to close the file whichever way the upload ends.
    final class Iterator: AsyncIteratorProtocol {
        private static let chunk = 512 << 10
        private let path: String
        private var rest: Range<Int>
        private var descriptor: Int32 = -1

        init(path: String, range: Range<Int>) {
            self.path = path
            rest = range
        }

        deinit { if descriptor >= 0 { close(descriptor) } }

        func next() throws -> ByteBuffer? {
            if rest.isEmpty { return nil }
            if descriptor < 0 { descriptor = open(path, O_RDONLY | O_CLOEXEC) }
            guard descriptor >= 0 else {
                throw CommandFailure("\(path) cannot be read: \(String(cString: strerror(errno)))")
            }
            let wanted = Swift.min(Self.chunk, rest.count)
            var buffer = ByteBuffer()
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
                Swift.max(0, pread(descriptor, bytes.baseAddress, wanted, off_t(rest.lowerBound)))
            }
            guard count > 0 else { throw CommandFailure("\(path) became shorter while it was uploaded; try again") }
            rest = rest.lowerBound + count..<rest.upperBound
            return buffer
        }
    }
}
