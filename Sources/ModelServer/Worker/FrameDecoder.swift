import NIOCore

/// A frame of the worker.
struct WorkerFrame: Sendable {
    var header: ByteBuffer
    var body: ByteBuffer
}

/// Cuts what the worker sends into frames.
struct FrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = WorkerFrame

    /// A header tells shapes and names. The worker of a model with very many outputs may need some.
    private static let headerLimit = 64 << 20

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, endianness: .little, as: UInt32.self),
            let header = buffer.getInteger(at: buffer.readerIndex + 4, endianness: .little, as: UInt32.self)
        else { return .needMoreData }
        guard length >= 4, length <= UInt32(Core.frameLimit), header <= length - 4, header <= FrameDecoder.headerLimit
        else {
            throw MalformedFrame("a frame of \(length) bytes with a header of \(header)")
        }
        guard buffer.readableBytes >= 4 + Int(length) else {
            buffer.reserveCapacity(4 + Int(length))
            return .needMoreData
        }
        buffer.moveReaderIndex(forwardBy: 8)
        guard let headerBytes = buffer.readSlice(length: Int(header)),
            let body = buffer.readSlice(length: Int(length - 4 - header))
        else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(WorkerFrame(header: headerBytes, body: body)))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        // Half a frame at the end is what a crash leaves: no word on it beside the crash itself.
        try decode(context: context, buffer: &buffer)
    }
}
