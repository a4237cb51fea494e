import Synchronization

/// Secrets that the next page shows and no later one: so that a form's answer can be a redirect, and loading the page
/// again does not make another secret. In memory, for a minute.
package final class ShownOnce: Sendable {
    private let state = Mutex<[String: (text: String, until: ContinuousClock.Instant)]>([:])

    package init() {}

    /// - Parameter place: whose page it is for: a session and an address.
    package func keep(_ text: String, for place: String) {
        state.withLock { kept in
            kept = kept.filter { $0.value.until > .now }
            kept[place] = (text, .now + .seconds(60))
        }
    }

    package func take(for place: String) -> String? {
        state.withLock { kept in
            guard let found = kept.removeValue(forKey: place), found.until > .now else { return nil }
            return found.text
        }
    }
}
