import ArgumentParser

/// How many there are to be: `2`, or `1-4` where it is left to an autoscaler.
struct CountRange: Equatable, Sendable {
    var least: Int
    var most: Int

    var isFixed: Bool { least == most }

    init(_ count: Int) { (least, most) = (count, count) }

    /// - Parameters:
    ///   - what: what it was typed as: `--nodes`.
    ///   - limit: of both ends.
    /// - Throws: `ValidationError`.
    init(_ text: String, of what: String, limit: Int) throws {
        // `--search` writes its ranges with two points.
        let dashed = text.split(separator: "..", omittingEmptySubsequences: false).joined(separator: "-")
        let ends = dashed.split(separator: "-", omittingEmptySubsequences: false).map { Int(String($0).trimmed) }
        guard ends.count <= 2, let least = ends.first ?? nil, let most = ends.last ?? nil else {
            throw ValidationError("\(what) '\(text)' is no number; write 2, or 1-4 for as many as are needed")
        }
        for end in [least, most] where !(1...limit).contains(end) {
            throw ValidationError("\(what) \(end) is out of range; use 1 to \(limit)")
        }
        if least > most { throw ValidationError("\(what) \(text): \(least) is above \(most); write \(most)-\(least)") }
        (self.least, self.most) = (least, most)
    }
}
