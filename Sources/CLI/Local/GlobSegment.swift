/// One name of a glob pattern: `*.tmp`, `data-?`, `[a-z]*`, or `**` for any number of folders.
struct GlobSegment {
    private enum Piece {
        case literal(Character)
        case one
        case many
        case set([ClosedRange<Character>], isNegated: Bool)

        var isMany: Bool { if case .many = self { true } else { false } }

        /// Never called for `many`.
        func matches(_ character: Character) -> Bool {
            switch self {
            case .literal(let own): own == character
            case .one, .many: true
            case .set(let ranges, let isNegated): ranges.contains { $0.contains(character) } != isNegated
            }
        }
    }

    private let isAnyDepth: Bool
    private let pieces: [Piece]

    init(_ pattern: Substring) {
        isAnyDepth = pattern == "**"
        pieces = Self.parse(Array(pattern))
    }

    static func matches(_ segments: ArraySlice<GlobSegment>, _ names: ArraySlice<[Character]>) -> Bool {
        // At the end of a pattern `**` stands for everything inside, which is not the folder itself.
        if segments.last?.isAnyDepth == true, names.isEmpty { return false }
        let isInside = segments.last?.isAnyDepth == true && segments.count > 1
        return wildcard(
            segments, isInside ? names.dropLast() : names, isMany: \.isAnyDepth,
            matches: { segment, name in
                wildcard(segment.pieces[...], name[...], isMany: \.isMany, matches: { $0.matches($1) })
            })
    }

    /// Matches a pattern in which some parts stand for any number of elements. When a part does not match, only the last
    /// of those takes one element more: going back to earlier ones as well gains nothing, and takes exponential time.
    private static func wildcard<Part, Element>(
        _ pattern: ArraySlice<Part>, _ text: ArraySlice<Element>, isMany: (Part) -> Bool,
        matches: (Part, Element) -> Bool
    ) -> Bool {
        var (part, element) = (pattern.startIndex, text.startIndex)
        var retry: (part: Int, element: Int)?
        while element < text.endIndex {
            if part < pattern.endIndex, isMany(pattern[part]) {
                part += 1
                retry = (part, element)
            } else if part < pattern.endIndex, matches(pattern[part], text[element]) {
                part += 1
                element += 1
            } else if let last = retry {
                retry = (last.part, last.element + 1)
                (part, element) = (last.part, last.element + 1)
            } else {
                return false
            }
        }
        return pattern[part...].allSatisfy(isMany)
    }

    private static func parse(_ pattern: [Character]) -> [Piece] {
        var pieces: [Piece] = []
        var index = 0
        while index < pattern.count {
            let character = pattern[index]
            index += 1
            switch character {
            case "*": pieces.append(.many)
            case "?": pieces.append(.one)
            case "\\" where index < pattern.count:
                pieces.append(.literal(pattern[index]))
                index += 1
            case "[":
                if let (set, next) = parseSet(pattern, from: index) {
                    pieces.append(set)
                    index = next
                } else {
                    pieces.append(.literal("["))
                }
            default: pieces.append(.literal(character))
            }
        }
        return pieces
    }

    /// - Returns: nil where the bracket is never closed, and stands for itself.
    private static func parseSet(_ pattern: [Character], from start: Int) -> (Piece, Int)? {
        var index = start
        let isNegated = index < pattern.count && (pattern[index] == "!" || pattern[index] == "^")
        if isNegated { index += 1 }
        var ranges: [ClosedRange<Character>] = []
        let first = index
        while index < pattern.count, pattern[index] != "]" || index == first {
            let low = pattern[index]
            if index + 2 < pattern.count, pattern[index + 1] == "-", pattern[index + 2] != "]" {
                let high = pattern[index + 2]
                if low <= high { ranges.append(low...high) }
                index += 3
            } else {
                ranges.append(low...low)
                index += 1
            }
        }
        return index < pattern.count ? (.set(ranges, isNegated: isNegated), index + 1) : nil
    }
}
