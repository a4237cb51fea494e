/// Finds the longest of many path prefixes by hashing a path's parts as they are walked along.
struct PrefixIndex: Sendable {
    /// An FNV-1a hash that goes on from prefix to prefix. A NUL parts, which no decoded path contains, so that an encoded
    /// slash is no separator.
    private struct Hash {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325

        mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    private struct Entry: Sendable {
        var parts: [[UInt8]]
        var stage: Int
    }

    private var entries: [UInt64: [Entry]] = [:]
    private var depth = 0

    /// - Parameter prefix: Decoded: `/default/iris/stages/blue`.
    mutating func insert(_ prefix: String, stage: Int) {
        let parts = prefix.split(separator: "/").map { Array($0.utf8) }
        var hash = Hash()
        for part in parts {
            hash.add(0)
            part.forEach { hash.add($0) }
        }
        entries[hash.value, default: []].append(Entry(parts: parts, stage: stage))
        depth = max(depth, parts.count)
    }

    enum Match {
        case stage(Int, end: Int)
        case none
        case malformed
    }

    /// - Returns: `end`: the offset of the slash after the prefix, or the path's end.
    func longest(_ bytes: UnsafeRawBufferPointer, _ path: Range<Int>) -> Match {
        var hash = Hash()
        var index = path.lowerBound
        var best = Match.none
        var walked = 0
        while index < path.upperBound, walked < depth {
            hash.add(0)
            index += 1
            while index < path.upperBound, bytes[index] != Bytes.slash {
                guard let (byte, next) = PathPart.decode(bytes, at: index, end: path.upperBound) else {
                    return .malformed
                }
                hash.add(byte)
                index = next
            }
            walked += 1
            guard let candidates = entries[hash.value] else { continue }
            for entry in candidates where PrefixIndex.matches(entry.parts, bytes, path.lowerBound..<index) {
                best = .stage(entry.stage, end: index)
            }
        }
        return best
    }

    private static func matches(_ parts: [[UInt8]], _ bytes: UnsafeRawBufferPointer, _ path: Range<Int>) -> Bool {
        var index = path.lowerBound
        for part in parts {
            guard index < path.upperBound else { return false }
            let end = PathPart.end(bytes, from: index + 1, end: path.upperBound)
            guard PathPart.equals(bytes, index + 1..<end, part) else { return false }
            index = end
        }
        return index == path.upperBound
    }
}
