import CTensors
import NIOCore

/// What a v2 client asked of the answer.
struct V2Wishes: Sendable {
    struct Output: Sendable {
        var name: String
        var binary: Bool?
    }

    var id: String?
    /// Empty for all of them.
    var outputs: [Output] = []
    /// What holds for outputs that do not say it themselves.
    var binary = false
}

/// Turns bodies into requests. Refusals are 400, with a sentence that names the input, the value and the remedy, or 413.
final class BodyParser {
    private let parser = TensorParser()
    private let model: String

    init(model: String) { self.model = model }

    func v1(_ body: ByteBuffer, verb: InferenceRequest.Verb) throws(ServingError) -> InferenceRequest {
        var tensor = takumi_tensor()
        var rows: Int64 = 0
        let form = withJSON(body) { takumi_parse_v1(parser.pointer, $0, $1, &tensor, &rows) }
        switch Int(form) {
        case TAKUMI_TENSOR:
            let head = head(of: tensor)
            let bytes = ByteBuffer(bytes: UnsafeRawBufferPointer(start: tensor.data, count: tensor.size))
            let set = TensorSet(heads: [head], bytes: bytes)
            return InferenceRequest(dialect: .v1, verb: verb, payload: .tensors(set))
        case TAKUMI_JSON:
            return InferenceRequest(dialect: .v1, verb: verb, payload: .json(body, rows: Int(rows)))
        default: throw refusal(form)
        }
    }

    /// - Parameter jsonLength: what `Inference-Header-Content-Length` said, where the body ends with binary data.
    func v2(_ body: ByteBuffer, jsonLength: Int?) throws(ServingError) -> (InferenceRequest, V2Wishes) {
        if let jsonLength, jsonLength < 0 || jsonLength > body.readableBytes {
            throw .bad(
                "'inference-header-content-length' is \(jsonLength), but the body has \(body.readableBytes) bytes")
        }
        var parsed = takumi_v2()
        let status = withJSON(body) {
            takumi_parse_v2(parser.pointer, $0, $1, jsonLength ?? $1, jsonLength != nil, model, &parsed)
        }
        guard status == 0 else { throw refusal(status) }
        let inputs = UnsafeBufferPointer(start: parsed.inputs, count: parsed.input_count)
        var request = InferenceRequest(
            dialect: .v2,
            payload: .tensors(TensorSet(heads: inputs.map(head(of:)), bytes: bytes(of: inputs, body: body))),
            id: parsed.id.string)
        request.parameters = parsed.parameters.start.map {
            ByteBuffer(bytes: UnsafeRawBufferPointer(start: $0, count: parsed.parameters.length))
        }
        var wishes = V2Wishes(id: request.id, binary: parsed.binary == 1)
        wishes.outputs = UnsafeBufferPointer(start: parsed.outputs, count: parsed.output_count).map {
            V2Wishes.Output(name: $0.name.string ?? "", binary: $0.binary < 0 ? nil : $0.binary == 1)
        }
        return (request, wishes)
    }

    struct Outline {
        var keys: Int
        var stream: Bool
        var model: String?
    }

    /// What a JSON object looks like from outside, as far as it can be read.
    func outline(_ body: ByteBuffer) -> (Outline, failure: ServingError?) {
        var outline = takumi_outline()
        let status = withJSON(body) { takumi_parse_outline(parser.pointer, $0, $1, &outline) }
        guard status == 0 else { return (Outline(keys: Int(outline.keys), stream: false), refusal(status)) }
        return (Outline(keys: Int(outline.keys), stream: outline.stream, model: outline.model.string), nil)
    }

    private func refusal(_ status: Int32) -> ServingError {
        ServingError(Int(status) == TAKUMI_TOO_LARGE ? 413 : 400, parser.error)
    }

    private func withJSON(_ body: ByteBuffer, _ parse: (UnsafePointer<CChar>?, Int) -> Int32) -> Int32 {
        body.withUnsafeReadableBytes { parse($0.assumingMemoryBound(to: CChar.self).baseAddress, $0.count) }
    }

    private func head(of tensor: takumi_tensor) -> TensorHead {
        TensorHead(
            name: tensor.name.string ?? "", datatype: Datatype(rawValue: tensor.datatype) ?? .bytes,
            shape: (0..<Int(tensor.rank)).map { Int(tensor.shape[$0]) }, size: tensor.size)
    }

    /// The inputs one after the other. Binary data that already lies so in the body is not copied.
    private func bytes(of inputs: UnsafeBufferPointer<takumi_tensor>, body: ByteBuffer) -> ByteBuffer {
        let size = inputs.reduce(0) { $0 + $1.size }
        if let first = inputs.first, inputs.allSatisfy({ $0.data == nil }) {
            return body.getSlice(at: body.readerIndex + first.offset, length: size) ?? ByteBuffer()
        }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(size)
        for input in inputs {
            if let data = input.data {
                bytes.writeBytes(UnsafeRawBufferPointer(start: data, count: input.size))
            } else if let slice = body.getSlice(at: body.readerIndex + input.offset, length: input.size) {
                bytes.writeImmutableBuffer(slice)
            }
        }
        return bytes
    }
}
