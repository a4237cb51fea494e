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
