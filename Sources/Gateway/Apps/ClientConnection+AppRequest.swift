import NIOCore

extension ClientConnection {
    /// Writes the request's head as a user's program gets it: with the whole path, and nothing that identifies the caller
    /// but what the pass adds.
    func writeRequest(_ bytes: UnsafeRawBufferPointer, _ pass: AppPass) {
        let added = pass.headers.filter(Bytes.isHeader)
        let size = added.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 4 }
        let target = pass.target.map { Array($0.utf8) } ?? Array(bytes[head.target])
        if request.capacity > 4 * ClientConnection.small { request = ByteBuffer() } else { request.clear() }
        let isReplaced = added.map(\.0)
        request.writeHead(upTo: 2 * bytes.count + 3 * target.count + peer.count + requestID.count + size + 512) {
            writer in
            writer.write(bytes, head.methodRange)
            writer.write(" ")
            target.withUnsafeBytes { writer.writeEscaped($0, $0.indices) }
            writer.write(" HTTP/1.1\r\n")
            for run in head.kept.runs {
                var lines = HeadLines(UnsafeRawBufferPointer(rebasing: bytes[run]))
                while let line = lines.next() {
                    let line = line.lowerBound + run.lowerBound..<line.upperBound + run.lowerBound
                    if isReplaced.contains(where: { bytes.isHeader(line, $0) }) { continue }
                    writer.write(bytes, line.lowerBound..<line.upperBound + 2)
                }
            }
            // A model's key elsewhere; here it is the program's own affair.
            if !head.key.isEmpty, !isReplaced.contains(where: { $0.lowercased() == "x-api-key" }) {
                writer.write("X-API-Key: ")
                writer.write(bytes, head.key)
                writer.write("\r\n")
            }
            for (name, value) in added { writer.write(name, value) }
            writeAdded(bytes, &writer)
            writeFraming(&writer)
            writer.write("\r\n")
        }
    }
}

extension Bytes {
    /// Whether it is one header, and not two.
    static func isHeader(_ name: String, _ value: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy(isToken) && value.utf8.allSatisfy(isFieldValue)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether a line is a header of the name, in whatever case.
    fileprivate func isHeader(_ line: Range<Int>, _ name: String) -> Bool {
        let length = name.utf8.count
        guard line.count > length, self[line.lowerBound + length] == Bytes.colon else { return false }
        return zip(self[line], name.utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }
}

extension HeadWriter {
    mutating func write(_ name: String, _ value: String) {
        write(Array(name.utf8))
        write(": ")
        write(Array(value.utf8))
        write("\r\n")
    }
}
