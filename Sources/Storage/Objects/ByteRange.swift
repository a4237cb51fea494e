/// A `Range` header with one range of bytes.
package enum ByteRange: Sendable, Equatable {
    case from(Int64)
    case between(Int64, Int64)
    case suffix(Int64)

    /// nil for what a server must or may ignore: another unit, several ranges, or nonsense.
    package init?(_ header: String) {
        guard header.lowercased().hasPrefix("bytes=") else { return nil }
        let parts = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false).map(\.trimmingSpaces)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return nil
        }
        switch (Int64(parts[0]), Int64(parts[1])) {
        case (let first?, let last?):
            if first > last { return nil }
            self = .between(first, last)
        case (let first?, nil) where parts[1].isEmpty: self = .from(first)
        case (nil, let length?) where parts[0].isEmpty: self = .suffix(length)
        default: return nil
        }
    }

    /// The bytes in content of `size`; nil where there are none of them (416).
    package func resolved(in size: Int64) -> Range<Int64>? {
        switch self {
        case .from(let first): first < size ? first..<size : nil
        case .between(let first, let last): first < size ? first..<(last < size ? last + 1 : size) : nil
        case .suffix(let length): length > 0 && size > 0 ? max(0, size - length)..<size : nil
        }
    }
}
