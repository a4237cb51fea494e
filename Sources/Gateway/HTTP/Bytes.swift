/// What HTTP/1.1 lets a byte be (RFC 9110, 5.6.2), and comparisons that make no strings.
enum Bytes {
    static let tab: UInt8 = 9
    static let lineFeed: UInt8 = 10
    static let carriageReturn: UInt8 = 13
    static let space: UInt8 = 32
    static let percent = UInt8(ascii: "%")
    static let slash = UInt8(ascii: "/")
    static let colon = UInt8(ascii: ":")
    static let comma = UInt8(ascii: ",")

    // One bit for each of the 128 ASCII characters that a header's name or a method may have.
    private static let tokensBelow64: UInt64 = 0x03ff_6cfa_0000_0000
    private static let tokensFrom64: UInt64 = 0x57ff_ffff_c7ff_fffe

    static func isToken(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        return (byte < 64 ? tokensBelow64 >> UInt64(byte) : tokensFrom64 >> UInt64(byte & 63)) & 1 == 1
    }

    /// Whether a header's value may have the byte: no control character but the tab.
    static func isFieldValue(_ byte: UInt8) -> Bool { byte >= 32 ? byte != 127 : byte == tab }

    static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension UnsafeRawBufferPointer {
    /// - Parameter text: In lower case. The bytes must be a token, so that setting one bit makes only letters lower.
    func isToken(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<range.count where self[range.lowerBound + index] | 0x20 != text.utf8Start[index] {
            return false
        }
        return true
    }

    func isExactly(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<range.count where self[range.lowerBound + index] != text.utf8Start[index] { return false }
        return true
    }

    /// The range without spaces and tabs around.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, self[lower] == Bytes.space || self[lower] == Bytes.tab { lower += 1 }
        while upper > lower, self[upper - 1] == Bytes.space || self[upper - 1] == Bytes.tab { upper -= 1 }
        return lower..<upper
    }

    /// Calls for each element of a comma-separated list that is not empty.
    func forEachElement(of range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = range.lowerBound
        var index = start
        while index <= range.upperBound {
            if index == range.upperBound || self[index] == Bytes.comma {
                let element = trimmed(start..<index)
                if !element.isEmpty { body(element) }
                start = index + 1
            }
            index += 1
        }
    }

    /// A number of digits only; nil for anything else, and for what no 64 bits hold.
    func decimal(_ range: Range<Int>) -> Int? {
        guard (1...18).contains(range.count) else { return nil }
        var value = 0
        for index in range {
            let digit = self[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    func text(_ range: Range<Int>) -> String { String(decoding: self[range], as: UTF8.self) }
}
