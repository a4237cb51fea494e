/// What the user may have meant by a word that is none of the known ones.
enum Nearest {
    /// At most `limit` candidates, the likeliest first. Never empty where there are candidates: a list is better than
    /// a refusal.
    static func options(to word: String, among candidates: [String], limit: Int = 5) -> [String] {
        let word = word.lowercased()
        let ranked = Set(candidates).map { candidate in
            (candidate: candidate, distance: distance(word, candidate.lowercased()))
        }
        return ranked.sorted { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }.prefix(limit).map(
            \.candidate)
    }

    /// Edits between the words, where one that contains the other counts as near: `pytorch` is meant to find
    /// `Ubuntu 22.04 CPU PyTorch Training`.
    static func distance(_ left: String, _ right: String) -> Int {
        let edits = levenshtein(Array(left), Array(right))
        guard !left.isEmpty, right.contains(left) || left.contains(right) else { return edits + 3 }
        return min(edits, 1)
    }

    private static func levenshtein(_ left: [Character], _ right: [Character]) -> Int {
        var previous = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(previous[column + 1] + 1, current[column] + 1, previous[column] + (character == other ? 0 : 1)))
            }
            previous = current
        }
        return previous[right.count]
    }
}
