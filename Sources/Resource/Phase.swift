/// The states a resource of one kind goes through. The raw value is the wire code (`CREATE_IN_PROGRESS`).
///
/// The vendor's SDK stops waiting with an error at any code that contains FAIL or STOP, so no code on the way to success
/// may contain those letters.
package protocol Phase: RawRepresentable<String>, CaseIterable, Hashable, Sendable, Codable {
    /// The phases that may follow. Written with a full `switch`, so that a new phase has to be placed.
    var next: Set<Self> { get }
    /// True where nothing is left for the reconciler to do.
    var isSettled: Bool { get }
    /// True where the resource failed, and its cause is the first thing to show.
    var isFailure: Bool { get }
}

extension Phase {
    package var displayName: String { PhaseName.displayed(rawValue) }

    /// - Throws: `TakumiError.conflict` where the step is not one of `next`.
    package func advanced(to phase: Self) throws -> Self {
        guard phase == self || next.contains(phase) else {
            throw TakumiError(.conflict, "\(displayName) cannot become \(phase.displayName)")
        }
        return phase
    }
}

package enum PhaseName {
    /// The name that SPEC.md shows for a wire code: with spaces, and health in parentheses.
    package static func displayed(_ code: String) -> String {
        let words = code.split(separator: "_")
        guard words.count == 2, words[0] == "ACTIVE" else { return words.joined(separator: " ") }
        return "ACTIVE (\(words[1]))"
    }
}
