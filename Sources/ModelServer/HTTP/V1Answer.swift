import NIOCore

/// Bodies of protocol v1.
enum V1Answer {
    /// `{"predictions": [..]}`, as TensorFlow Serving's rows where there are several outputs: one object per instance.
    static func write(
        _ outputs: [OutputTensor], verb: InferenceRequest.Verb, to body: inout ByteBuffer
    ) throws(ServingError) {
        body.writeStaticString(verb == .predict ? #"{"predictions":"# : #"{"explanations":"#)
        if outputs.count == 1 {
            try write(outputs[0].bytes, outputs[0], shape: outputs[0].shape[...], to: &body)
        } else if let rows = commonRows(outputs) {
            try writeRows(outputs, rows: rows, to: &body)
        } else {
            body.writeInteger(UInt8(ascii: "{"))
            for (index, output) in outputs.enumerated() {
                if index > 0 { body.writeInteger(UInt8(ascii: ",")) }
                body.writeJSON(output.name)
                body.writeInteger(UInt8(ascii: ":"))
                try write(output.bytes, output, shape: output.shape[...], to: &body)
            }
            body.writeInteger(UInt8(ascii: "}"))
        }
        body.writeInteger(UInt8(ascii: "}"))
    }

    private static func commonRows(_ outputs: [OutputTensor]) -> Int? {
        guard let rows = outputs.first?.shape.first else { return nil }
        return outputs.allSatisfy { $0.shape.first == rows } ? rows : nil
    }

    private static func writeRows(_ outputs: [OutputTensor], rows: Int, to body: inout ByteBuffer) throws(ServingError)
    {
        var rests = outputs.map(\.bytes)
        body.writeInteger(UInt8(ascii: "["))
        for row in 0..<rows {
            body.writeInteger(row == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
            if row > 0 { body.writeInteger(UInt8(ascii: "{")) }
            for (index, output) in outputs.enumerated() {
                if index > 0 { body.writeInteger(UInt8(ascii: ",")) }
                body.writeJSON(output.name)
                body.writeInteger(UInt8(ascii: ":"))
                let shape = output.shape.dropFirst()
                let size = output.size(ofElements: shape.reduce(1, *), in: rests[index])
                guard let bytes = rests[index].readSlice(length: size) else {
                    throw ServingError(500, "output '\(output.name)' is shorter than its shape")
                }
                try write(bytes, output, shape: shape, to: &body)
            }
            body.writeInteger(UInt8(ascii: "}"))
        }
        body.writeInteger(UInt8(ascii: "]"))
    }

    private static func write(
        _ bytes: ByteBuffer, _ output: OutputTensor, shape: ArraySlice<Int>, to body: inout ByteBuffer
    ) throws(ServingError) {
        guard body.writeNested(datatype: output.datatype, shape: shape, bytes: bytes) else {
            throw ServingError(
                500,
                "output '\(output.name)' holds bytes that are not UTF-8, which JSON cannot carry: ask for it as "
                    + "binary data by protocol v2")
        }
    }
}
