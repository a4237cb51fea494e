import Synchronization

/// What one page's stream has told already.
package final class Seen: Sendable {
    private let state = Mutex((lines: -1, sample: -1.0, isOver: false))

    package var lines: Int {
        get { state.withLock { $0.lines } }
        set { state.withLock { $0.lines = newValue } }
    }
    package var sample: Double {
        get { state.withLock { $0.sample } }
        set { state.withLock { $0.sample = newValue } }
    }
    package var isOver: Bool {
        get { state.withLock { $0.isOver } }
        set { state.withLock { $0.isOver = newValue } }
    }

    package init() {}
}
