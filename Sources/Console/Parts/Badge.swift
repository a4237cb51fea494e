import Foundation
import Resource

/// How a state is coloured. The text says the same, for who does not see colours.
package enum Tone: String, Sendable {
    case good, bad, wait, busy, off

    /// Of a phase. A resource that has a cause without having failed waits for something.
    package init(phase: String, isFailure: Bool, isSettled: Bool, cause: String?) {
        self =
            if isFailure { .bad } else if isSettled { phase.contains("STOP") ? .off : .good } else if cause != nil {
                .wait
            } else { .busy }
    }

    package init<P: Phase>(_ phase: P, cause: String?) {
        self.init(phase: phase.rawValue, isFailure: phase.isFailure, isSettled: phase.isSettled, cause: cause)
    }
}

/// A state as a badge.
package struct Badge: Sendable {
    package var text: String
    package var tone: Tone

    package init(_ text: String, _ tone: Tone) {
        self.text = text
        self.tone = tone
    }

    package init<P: Phase>(_ phase: P, cause: String?) {
        self.init(phase.displayName, Tone(phase, cause: cause))
    }

    package var model: [String: Any] { ["text": text, "tone": tone.rawValue] }
}
