/// Percent-encoded parts of paths, compared decoded and without decoding them to memory.
enum PathPart {
    /// The byte at an index and where the next one begins.
    /// - Returns: nil for a percent sign without two hexadecimal digits, and for an encoded NUL.
    static func decode(_ bytes: UnsafeRawBufferPointer, at index: Int, end: Int) -> (byte: UInt8, next: Int)? {
        let byte = bytes[index]
        guard byte == Bytes.percent else { return (byte, index + 1) }
        guard index + 2 < end, let high = Bytes.hexadecimal(bytes[index + 1]),
            let low = Bytes.hexadecimal(bytes[index + 2]), high << 4 | low != 0
        else { return nil }
        return (high << 4 | low, index + 3)
    }

    static func equals(_ bytes: UnsafeRawBufferPointer, _ part: Range<Int>, _ decoded: [UInt8]) -> Bool {
        var index = part.lowerBound
        for expected in decoded {
            guard index < part.upperBound, let (byte, next) = decode(bytes, at: index, end: part.upperBound),
                byte == expected
            else { return false }
            index = next
        }
        return index == part.upperBound
    }

    /// Where the last colon begins, also where it is percent-encoded.
    static func lastColon(_ bytes: UnsafeRawBufferPointer, _ part: Range<Int>) -> Int? {
        var index = part.lowerBound
        var last: Int?
        while index < part.upperBound, let (byte, next) = decode(bytes, at: index, end: part.upperBound) {
            if byte == Bytes.colon { last = index }
            index = next
        }
        return last
    }

    /// For messages only.
    static func text(_ bytes: UnsafeRawBufferPointer, _ part: Range<Int>) -> String {
        var decoded: [UInt8] = []
        var index = part.lowerBound
        while index < part.upperBound, let (byte, next) = decode(bytes, at: index, end: part.upperBound) {
            decoded.append(byte)
            index = next
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Where the part that begins at an index ends: at the next slash or the path's end.
    static func end(_ bytes: UnsafeRawBufferPointer, from index: Int, end: Int) -> Int {
        bytes[index..<end].firstIndex(of: Bytes.slash) ?? end
    }
}
