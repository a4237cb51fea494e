import NIOCore

/// Gives each request of a call its part of the answer.
enum ReplySplitter {
    static func events(_ reply: WorkerReply, rows: [Int], sum: Int) throws(MalformedFrame) -> [ReplyEvent] {
        if reply.isEnd { return [.end] }
        guard let whole = reply.whole else {
            guard reply.items.count == rows.count else {
                throw MalformedFrame("\(reply.items.count) answers to a call of \(rows.count) requests")
            }
            return reply.items
        }
        if rows.count == 1 { return [.outputs(whole, parameters: reply.parameters)] }
        var parts: [[OutputTensor]] = Array(repeating: [], count: rows.count)
        for output in whole {
            guard output.shape.first == sum else {
                throw MalformedFrame(
                    "output '\(output.name)' has the shape \(output.shape), but the call has \(sum) rows of \(rows.count) requests"
                )
            }
            try split(output, rows: rows, into: &parts)
        }
        return parts.map { .outputs($0, parameters: reply.parameters) }
    }

    private static func split(
        _ output: OutputTensor, rows: [Int], into parts: inout [[OutputTensor]]
    ) throws(MalformedFrame) {
        var rest = output.bytes
        let perRow = output.shape.dropFirst().reduce(1, *)
        for (index, count) in rows.enumerated() {
            let size = output.size(ofElements: count * perRow, in: rest)
            guard let bytes = rest.readSlice(length: size) else {
                throw MalformedFrame("output '\(output.name)' ends within its elements")
            }
            var part = output
            part.shape[0] = count
            part.bytes = bytes
            parts[index].append(part)
        }
    }
}
