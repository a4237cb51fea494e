import Foundation

/// The lines of a head, without their ends. The bytes must be known to end with a line's end, and to have a carriage return
/// before each line feed.
struct HeadLines {
    private let bytes: UnsafeRawBufferPointer
    private var start = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func next() -> Range<Int>? {
        guard let base = bytes.baseAddress, start < bytes.count,
            let feed = memchr(base + start, Int32(Bytes.lineFeed), bytes.count - start)
        else { return nil }
        let end = UnsafeRawPointer(feed) - base
        defer { start = end + 1 }
        return start..<max(start, end - 1)
    }

    /// A header's name and value.
    /// - Returns: nil where it is none: a folded line, a space before the colon, a control character such as a bare carriage
    ///   return. What one program reads as part of a value and the next as a header is a way to smuggle.
    static func split(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> (name: Range<Int>, value: Range<Int>)? {
        var index = line.lowerBound
        while index < line.upperBound, Bytes.isToken(bytes[index]) { index += 1 }
        guard index > line.lowerBound, index < line.upperBound, bytes[index] == Bytes.colon else { return nil }
        let name = line.lowerBound..<index
        index += 1
        let start = index
        while index < line.upperBound {
            guard Bytes.isFieldValue(bytes[index]) else { return nil }
            index += 1
        }
        return (name, bytes.trimmed(start..<line.upperBound))
    }
}

extension UnsafeRawBufferPointer {
    func isSameToken(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
        guard one.count == other.count else { return false }
        return zip(one, other).allSatisfy { self[$0] | 0x20 == self[$1] | 0x20 }
    }
}
