import NIOCore

/// Takes the frames off a chunked body (RFC 9112, 7.1). Extensions and trailers are dropped.
struct ChunkedDecoder {
    enum Piece {
        case data(ByteBuffer)
        case end
        case incomplete
        case malformed
    }

    private enum State {
        case size
        case data(Int)
        case dataEnd
        case trailer
    }

    /// A chunk's first line, and all trailers together.
    private static let limit = 16 << 10
    private var state = State.size
    private var trailerBytes = 0

    /// Takes the next piece from the front of the buffer; what is left stays there.
    mutating func next(_ buffer: inout ByteBuffer) -> Piece {
        while true {
            switch state {
            case .size:
                guard let line = ChunkedDecoder.line(&buffer) else {
                    return buffer.readableBytes > ChunkedDecoder.limit ? .malformed : .incomplete
                }
                guard let size = ChunkedDecoder.size(line) else { return .malformed }
                state = size == 0 ? .trailer : .data(size)
            case .data(let left):
                guard let data = buffer.readSlice(length: min(left, buffer.readableBytes)), data.readableBytes > 0
                else { return .incomplete }
                state = data.readableBytes == left ? .dataEnd : .data(left - data.readableBytes)
                return .data(data)
            case .dataEnd:
                guard let end = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self) else { return .incomplete }
                guard end == 0x0d0a else { return .malformed }
                buffer.moveReaderIndex(forwardBy: 2)
                state = .size
            case .trailer:
                guard let line = ChunkedDecoder.line(&buffer) else {
                    return buffer.readableBytes > ChunkedDecoder.limit ? .malformed : .incomplete
                }
                trailerBytes += line.readableBytes
                guard trailerBytes <= ChunkedDecoder.limit, ChunkedDecoder.isClean(line) else { return .malformed }
                if line.readableBytes == 0 { return .end }
            }
        }
    }

    /// The next line without its end; with a carriage return left in it where it ends otherwise than with both.
    private static func line(_ buffer: inout ByteBuffer) -> ByteBuffer? {
        guard let feed = buffer.readableBytesView.firstIndex(of: Bytes.lineFeed) else { return nil }
        let length = feed - buffer.readerIndex
        guard var line = buffer.readSlice(length: length + 1) else { return nil }
        let hasReturn = length > 0 && line.getInteger(at: line.readerIndex + length - 1) == Bytes.carriageReturn
        // A bare line feed stays, and is then refused by whoever reads the line.
        if hasReturn { line.moveWriterIndex(to: line.writerIndex - 2) }
        return line
    }

    private static func isClean(_ line: ByteBuffer) -> Bool {
        line.readableBytesView.allSatisfy { Bytes.isFieldValue($0) }
    }

    private static func size(_ line: ByteBuffer) -> Int? {
        let bytes = line.readableBytesView
        let digits = bytes.prefix { Bytes.hexadecimal($0) != nil }
        let rest = bytes[digits.endIndex...].drop { $0 == Bytes.space || $0 == Bytes.tab }
        guard (1...15).contains(digits.count), rest.isEmpty || rest.first == UInt8(ascii: ";"), isClean(line) else {
            return nil
        }
        return digits.reduce(0) { $0 << 4 | Int(Bytes.hexadecimal($1) ?? 0) }
    }
}
