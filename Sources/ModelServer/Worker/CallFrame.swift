import CTensors
import NIOCore

/// Writes the frames of calls: length, length of the header, header, body.
enum CallFrame {
    /// Bodies above this go to the socket as they are, smaller ones are copied into one buffer with the header.
    private static let copyLimit = 64 << 10

    /// - Returns: a frame's parts, in order.
    static func infer(call: Int, _ requests: [InferenceRequest], rows: [Int], headers: Bool) -> [ByteBuffer] {
        guard let first = requests.first else { return [] }
        var frame = ByteBuffer()
        let bodySize = requests.reduce(0) { $0 + $1.size }
        frame.reserveCapacity(512 + 64 * requests.count + min(bodySize, copyLimit))
        begin(&frame)
        frame.writeStaticString(#"{"op":"infer","call":"#)
        frame.writeDecimal(call)
        frame.writeStaticString(#","protocol":""#)
        frame.writeString(first.dialect.rawValue)
        frame.writeStaticString(#"","verb":""#)
        frame.writeString(first.verb.rawValue)
        switch first.payload {
        case .tensors(let set):
            frame.writeStaticString(#"","form":"tensors","rows":"#)
            frame.writeDecimals(rows)
            writeInputs(set, requests, rows: rows, to: &frame)
        case .json, .openAI:
            frame.writeStaticString(#"","form":"json","sizes":"#)
            frame.writeDecimals(requests.map(\.size))
        }
        frame.writeStaticString(#","items":["#)
        for (index, request) in requests.enumerated() {
            if index > 0 { frame.writeInteger(UInt8(ascii: ",")) }
            writeItem(request, headers: headers, to: &frame)
        }
        frame.writeStaticString("]}")
        return finish(frame, bodies: bodies(requests), size: bodySize)
    }

    static func openAI(
        call: Int, route: InferenceRequest.OpenAIRoute, stream: Bool, body: ByteBuffer
    ) -> [ByteBuffer] {
        var frame = ByteBuffer()
        begin(&frame)
        frame.writeString(#"{"op":"openai","call":\#(call),"route":"\#(route.rawValue)","stream":\#(stream)}"#)
        return finish(frame, bodies: [body], size: body.readableBytes)
    }

    static func cancel(_ call: Int) -> ByteBuffer {
        var frame = ByteBuffer()
        begin(&frame)
        frame.writeString(#"{"op":"cancel","call":\#(call)}"#)
        return finish(frame, bodies: [], size: 0)[0]
    }

    private static func begin(_ frame: inout ByteBuffer) { frame.writeInteger(UInt64(0)) }

    private static func finish(_ header: ByteBuffer, bodies: [ByteBuffer], size: Int) -> [ByteBuffer] {
        var frame = header
        let headerSize = frame.readableBytes - 8
        frame.setInteger(UInt32(4 + headerSize + size), at: 0, endianness: .little)
        frame.setInteger(UInt32(headerSize), at: 4, endianness: .little)
        guard size <= copyLimit else { return [frame] + bodies }
        for body in bodies { frame.writeImmutableBuffer(body) }
        return [frame]
    }

    private static func writeInputs(
        _ set: TensorSet, _ requests: [InferenceRequest], rows: [Int], to frame: inout ByteBuffer
    ) {
        frame.writeStaticString(#","inputs":["#)
        for (index, head) in set.heads.enumerated() {
            if index > 0 { frame.writeInteger(UInt8(ascii: ",")) }
            frame.writeStaticString(#"{"name":"#)
            frame.writeJSON(head.name)
            frame.writeStaticString(#","datatype":""#)
            frame.writeString(head.datatype.name)
            frame.writeStaticString(#"","shape":"#)
            var shape = head.shape
            var size = head.size
            if requests.count > 1 {
                shape[0] = rows.reduce(0, +)
                size = requests.reduce(0) { sum, request in
                    guard case .tensors(let set) = request.payload else { return sum }
                    return sum + set.heads[index].size
                }
            }
            frame.writeDecimals(shape)
            frame.writeStaticString(#","size":"#)
            frame.writeDecimal(size)
            frame.writeInteger(UInt8(ascii: "}"))
        }
        frame.writeInteger(UInt8(ascii: "]"))
    }

    private static func writeItem(_ request: InferenceRequest, headers: Bool, to frame: inout ByteBuffer) {
        var isFirst = true
        func key(_ key: StaticString, in frame: inout ByteBuffer) {
            frame.writeInteger(UInt8(ascii: isFirst ? "{" : ","))
            frame.writeStaticString(key)
            isFirst = false
        }
        if let id = request.id {
            key(#""id":"#, in: &frame)
            frame.writeJSON(id)
        }
        if let parameters = request.parameters {
            key(#""parameters":"#, in: &frame)
            frame.writeImmutableBuffer(parameters)
        }
        if headers, !request.headers.isEmpty {
            key(#""headers":{"#, in: &frame)
            for (index, header) in request.headers.enumerated() {
                if index > 0 { frame.writeInteger(UInt8(ascii: ",")) }
                frame.writeJSON(header.name)
                frame.writeInteger(UInt8(ascii: ":"))
                frame.writeJSON(header.value)
            }
            frame.writeInteger(UInt8(ascii: "}"))
        }
        frame.writeStaticString(isFirst ? "{}" : "}")
    }

    /// The requests' bytes, input by input.
    private static func bodies(_ requests: [InferenceRequest]) -> [ByteBuffer] {
        guard case .tensors(let first)? = requests.first?.payload, first.heads.count > 1, requests.count > 1 else {
            return requests.map { request in
                switch request.payload {
                case .tensors(let set): set.bytes
                case .json(let body, _), .openAI(_, let body, _): body
                }
            }
        }
        var sets = requests.compactMap { request in
            if case .tensors(let set) = request.payload { set } else { nil }
        }
        return first.heads.indices.flatMap { input in
            sets.indices.compactMap { sets[$0].bytes.readSlice(length: sets[$0].heads[input].size) }
        }
    }
}
