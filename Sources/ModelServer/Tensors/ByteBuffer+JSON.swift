import CTensors
import NIOCore

extension ByteBuffer {
    mutating func writeDecimal(_ number: Int) {
        if number >= 0, number < 10 {
            writeInteger(UInt8(ascii: "0") + UInt8(number))
        } else {
            writeString(String(number))
        }
    }

    /// `[1,2,3]`
    mutating func writeDecimals(_ numbers: [Int]) {
        writeInteger(UInt8(ascii: "["))
        for (index, number) in numbers.enumerated() {
            if index > 0 { writeInteger(UInt8(ascii: ",")) }
            writeDecimal(number)
        }
        writeInteger(UInt8(ascii: "]"))
    }

    /// A JSON string, with its quotes.
    mutating func writeJSON(_ text: String) {
        var text = text
        text.withUTF8 { source in
            _ = writeWithUnsafeMutableBytes(minimumWritableBytes: 6 * source.count + 2) { target in
                source.withMemoryRebound(to: CChar.self) { source in
                    takumi_write_string(
                        target.assumingMemoryBound(to: CChar.self).baseAddress, source.baseAddress, source.count)
                }
            }
        }
    }

    /// Elements as a flat array.
    /// - Returns: false where `BYTES` are not UTF-8.
    mutating func writeFlat(_ tensor: OutputTensor) -> Bool {
        let count = tensor.shape.reduce(1, *)
        let bound = takumi_json_bound(tensor.datatype.rawValue, tensor.bytes.readableBytes, Int64(count), 1)
        return tensor.bytes.withUnsafeReadableBytes { source in
            writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
                takumi_write_flat(
                    target.assumingMemoryBound(to: CChar.self).baseAddress, tensor.datatype.rawValue,
                    source.baseAddress,
                    source.count, Int64(count))
            } > 0
        }
    }

    /// Elements nested as the shape says.
    /// - Returns: false where `BYTES` are not UTF-8.
    mutating func writeNested(datatype: Datatype, shape: some Collection<Int>, bytes: ByteBuffer) -> Bool {
        let shape = shape.map { Int64($0) }
        // Pairs of brackets: one for the whole, and one for each element of all axes but the last.
        var arrays: Int64 = 1
        var count: Int64 = 1
        for size in shape {
            count *= size
            arrays += count
        }
        let bound = takumi_json_bound(datatype.rawValue, bytes.readableBytes, count, arrays)
        return bytes.withUnsafeReadableBytes { source in
            writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
                takumi_write_nested(
                    target.assumingMemoryBound(to: CChar.self).baseAddress, datatype.rawValue, source.baseAddress,
                    source.count, shape, Int32(shape.count))
            } > 0
        }
    }
}
