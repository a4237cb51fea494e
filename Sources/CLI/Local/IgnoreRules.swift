/// What of a source folder stays at home: the lines of a `.takumiignore`, which read as those of a `.gitignore` do.
/// The last line that matches decides; `!` brings back what an earlier one took out.
struct IgnoreRules {
    /// What nobody wants uploaded. Before the file's own lines, so that `!.venv/` can overrule it.
    static let usual = [
        ".git/", ".hg/", ".svn/", "__pycache__/", ".venv/", ".ipynb_checkpoints/", ".mypy_cache/", ".pytest_cache/",
        ".ruff_cache/", ".DS_Store", "/.takumiignore",
    ]

    enum Verdict: Equatable {
        case ignored
        case kept
        /// No line says anything of it.
        case unmentioned
    }

    private struct Rule {
        var segments: [GlobSegment]
        /// A slash at its start or inside ties a pattern to the folder that the file lies in.
        var isAnchored: Bool
        var isForFolders: Bool
        var verdict: Verdict
    }

    private let rules: [Rule]

    init(_ text: String = "") {
        let lines = Self.usual + text.split(whereSeparator: \.isNewline).map(String.init)
        rules = lines.compactMap(Self.rule)
    }

    /// - Parameter path: relative to the folder, without a slash at either end.
    func verdict(_ path: String, isFolder: Bool) -> Verdict {
        let names = path.split(separator: "/").map(Array.init)
        for rule in rules.reversed() where isFolder || !rule.isForFolders {
            let matches =
                rule.isAnchored
                ? GlobSegment.matches(rule.segments[...], names[...])
                : names.last.map { GlobSegment.matches(rule.segments[...], [$0]) } ?? false
            if matches { return rule.verdict }
        }
        return .unmentioned
    }

    private static func rule(_ line: String) -> Rule? {
        var pattern = line[...]
        while pattern.last == " " || pattern.last == "\t" { pattern = pattern.dropLast() }
        if pattern.isEmpty || pattern.hasPrefix("#") { return nil }
        let isNegated = pattern.hasPrefix("!")
        if isNegated || pattern.hasPrefix("\\#") || pattern.hasPrefix("\\!") { pattern = pattern.dropFirst() }
        let isForFolders = pattern.hasSuffix("/")
        if isForFolders { pattern = pattern.dropLast() }
        let isAnchored = pattern.contains("/")
        let segments = pattern.split(separator: "/").map { GlobSegment($0) }
        guard !segments.isEmpty else { return nil }
        return Rule(
            segments: segments, isAnchored: isAnchored, isForFolders: isForFolders,
            verdict: isNegated ? .kept : .ignored)
    }
}

/// One name of a glob pattern: `*.tmp`, `data-?`, `[a-z]*`, or `**` for any number of folders.
struct GlobSegment {
    private enum Piece {
        case literal(Character)
        case one
        case many
        case set([ClosedRange<Character>], isNegated: Bool)
    }

    private let isAnyDepth: Bool
    private let pieces: [Piece]

    init(_ pattern: Substring) {
        isAnyDepth = pattern == "**"
        pieces = Self.parse(Array(pattern))
    }

    static func matches(_ segments: ArraySlice<GlobSegment>, _ names: ArraySlice<[Character]>) -> Bool {
        guard let first = segments.first else { return names.isEmpty }
        if first.isAnyDepth {
            let rest = segments.dropFirst()
            // At the end of a pattern `**` stands for everything inside, which is not the folder itself.
            if rest.isEmpty { return !names.isEmpty }
            return (names.startIndex...names.endIndex).contains { matches(rest, names[$0...]) }
        }
        guard let name = names.first, matches(first.pieces[...], name[...]) else { return false }
        return matches(segments.dropFirst(), names.dropFirst())
    }

    private static func matches(_ pieces: ArraySlice<Piece>, _ name: ArraySlice<Character>) -> Bool {
        guard let piece = pieces.first else { return name.isEmpty }
        let rest = pieces.dropFirst()
        switch piece {
        case .many:
            return (name.startIndex...name.endIndex).contains { matches(rest, name[$0...]) }
        case .one:
            return !name.isEmpty && matches(rest, name.dropFirst())
        case .literal(let character):
            return name.first == character && matches(rest, name.dropFirst())
        case .set(let ranges, let isNegated):
            guard let character = name.first else { return false }
            return ranges.contains { $0.contains(character) } != isNegated && matches(rest, name.dropFirst())
        }
    }

    private static func parse(_ pattern: [Character]) -> [Piece] {
        var pieces: [Piece] = []
        var index = 0
        while index < pattern.count {
            let character = pattern[index]
            index += 1
            switch character {
            case "*":
                // Two in a row match what one does; kept as one, or matching takes time exponential in them.
                if case .many = pieces.last { continue }
                pieces.append(.many)
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
