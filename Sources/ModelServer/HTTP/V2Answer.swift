import NIOCore

/// Bodies of protocol v2.
enum V2Answer {
    /// - Returns: the length of the JSON where binary data follows it.
    static func write(
        _ outputs: [OutputTensor], parameters: ByteBuffer?, wishes: V2Wishes, model: String, newID: String,
        to body: inout ByteBuffer
    ) throws(ServingError) -> Int? {
        let chosen = try choose(outputs, wishes, model: model)
        let begin = body.writerIndex
        body.writeStaticString(#"{"model_name":"#)
        body.writeJSON(model)
        body.writeStaticString(#","model_version":"1","id":"#)
        body.writeJSON(wishes.id ?? newID)
        if let parameters {
            body.writeStaticString(#","parameters":"#)
            body.writeImmutableBuffer(parameters)
        } else if !chosen.contains(where: \.binary) {
            // As KServe has it: null in one form, missing in the other.
            body.writeStaticString(#","parameters":null"#)
        }
        body.writeStaticString(#","outputs":["#)
        for (index, (output, binary)) in chosen.enumerated() {
            if index > 0 { body.writeInteger(UInt8(ascii: ",")) }
            try write(output, binary: binary, to: &body)
        }
        body.writeStaticString("]}")
        guard chosen.contains(where: \.binary) else { return nil }
        let length = body.writerIndex - begin
        for (output, binary) in chosen where binary { body.writeImmutableBuffer(output.bytes) }
        return length
    }

    private static func choose(
        _ outputs: [OutputTensor], _ wishes: V2Wishes, model: String
    ) throws(ServingError) -> [(output: OutputTensor, binary: Bool)] {
        guard !wishes.outputs.isEmpty else { return outputs.map { ($0, wishes.binary) } }
        var chosen: [(output: OutputTensor, binary: Bool)] = []
        for wish in wishes.outputs {
            guard let output = outputs.first(where: { $0.name == wish.name }) else {
                throw .bad("Unexpected inference output '\(wish.name)' for model '\(model)'")
            }
            chosen.append((output, wish.binary ?? wishes.binary))
        }
        return chosen
    }

    private static func write(_ output: OutputTensor, binary: Bool, to body: inout ByteBuffer) throws(ServingError) {
        body.writeStaticString(#"{"name":"#)
        body.writeJSON(output.name)
        body.writeStaticString(#","shape":"#)
        body.writeDecimals(output.shape)
        body.writeStaticString(#","datatype":""#)
        body.writeString(output.datatype.name)
        guard !binary else {
            body.writeStaticString(#"","parameters":{"binary_data_size":"#)
            body.writeDecimal(output.bytes.readableBytes)
            body.writeStaticString("}}")
            return
        }
        guard output.datatype != .fp16, output.datatype != .bf16 else {
            throw .bad(
                "Output '\(output.name)' has the datatype \(output.datatype.name), which JSON does not carry: ask for it with "
                    + "'binary_data'")
        }
        body.writeStaticString(#"","parameters":null,"data":"#)
        guard body.writeFlat(output) else {
            throw ServingError(
                500,
                "output '\(output.name)' holds bytes that are not UTF-8, which JSON cannot carry: ask for it with "
                    + "'binary_data'")
        }
        body.writeInteger(UInt8(ascii: "}"))
    }
}
