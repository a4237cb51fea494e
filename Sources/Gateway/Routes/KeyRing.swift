import Crypto

/// The API keys of a stage, as hashes.
struct KeyRing: Sendable {
    private let digests: [[UInt8]]

    /// - Parameter hexadecimal: SHA-256 of each key. What is none lets nobody in.
    init(_ hexadecimal: [String]) {
        digests = hexadecimal.map { text in
            let digits = text.utf8.compactMap(Bytes.hexadecimal)
            guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return [] }
            return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        }
    }

    var isEmpty: Bool { digests.isEmpty }

    /// Takes as long for any key of the same length, whether and wherever it is wrong.
    func holds(_ key: UnsafeRawBufferPointer) -> Bool {
        let digest = Array(SHA256.hash(data: key))
        var found: UInt8 = 0
        for candidate in digests where candidate.count == digest.count {
            var difference: UInt8 = 0
            for index in digest.indices { difference |= digest[index] ^ candidate[index] }
            found |= difference == 0 ? 1 : 0
        }
        return found == 1
    }
}
