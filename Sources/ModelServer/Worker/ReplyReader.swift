import CTensors
import NIOCore

/// The worker has broken the protocol.
struct MalformedFrame: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// An answer of the worker, before it is given to the requests of its call.
struct WorkerReply {
    struct Item {
        var event: ReplyEvent
    }

    var call: Int
    var isChunk = false
    var isEnd = false
    /// Outputs of all rows of the call, to be split.
    var whole: [OutputTensor]?
    var parameters: ByteBuffer?
    var items: [ReplyEvent] = []
}

/// Reads the headers of the worker's answers.
final class ReplyReader {
    private let parser: TensorParser = TensorParser()

    func read(header: ByteBuffer, body: ByteBuffer) throws(MalformedFrame) -> WorkerReply {
        var reply = takumi_reply()
        let status = header.withUnsafeReadableBytes { bytes in
            takumi_parse_reply(
                parser.pointer, bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count, body.readableBytes,
                &reply)
        }
        guard status == 0 else { throw MalformedFrame(parser.error) }
        var result = WorkerReply(call: Int(reply.call), isChunk: reply.chunk, isEnd: reply.end)
        if let whole = reply.whole {
            let item = whole.pointee
            if item.error.start == nil, item.json < 0 {
                result.whole = outputs(item, body)
                result.parameters = buffer(item.parameters)
            } else {
                result.items = [event(item, body)]
            }
        }
        for index in 0..<reply.item_count { result.items.append(event(reply.items[index], body)) }
        return result
    }

    private func event(_ item: takumi_reply_item, _ body: ByteBuffer) -> ReplyEvent {
        if item.error.start != nil {
            var error = ServingError(Int(item.status), text(item.error) ?? "")
            error.type = text(item.type)
            error.param = text(item.param)
            error.code = text(item.code)
            return .failure(error)
        }
        if item.json >= 0 {
            return .json(slice(body, item.offset, Int(item.json)), contentType: text(item.content_type))
        }
        return .outputs(outputs(item, body), parameters: buffer(item.parameters))
    }

    private func outputs(_ item: takumi_reply_item, _ body: ByteBuffer) -> [OutputTensor] {
        (0..<item.output_count).map { index in
            let output = item.outputs[index]
            let shape = (0..<Int(output.rank)).map { Int(output.shape[$0]) }
            return OutputTensor(
                name: text(output.name) ?? "", datatype: Datatype(rawValue: output.datatype) ?? .bytes, shape: shape,
                bytes: slice(body, output.offset, output.size))
        }
    }

    /// The sizes have been checked against the body's.
    private func slice(_ body: ByteBuffer, _ offset: Int, _ size: Int) -> ByteBuffer {
        body.getSlice(at: body.readerIndex + offset, length: size) ?? ByteBuffer()
    }

    private func text(_ text: takumi_text) -> String? { text.string }
    private func buffer(_ text: takumi_text) -> ByteBuffer? {
        text.start.map { ByteBuffer(bytes: UnsafeRawBufferPointer(start: $0, count: text.length)) }
    }
}

extension takumi_text {
    var string: String? {
        start.map { String(decoding: UnsafeRawBufferPointer(start: $0, count: length), as: UTF8.self) }
    }
}
