import NIOCore
import Synchronization

/// Lets so many requests through a second, and so many at once after a pause. Shared by all event loops.
final class TokenBucket: Sendable {
    let rate: StageRoute.RateLimit
    private let state: Mutex<State>

    private struct State {
        var tokens: Double
        var filled: NIODeadline
    }

    init(_ rate: StageRoute.RateLimit, now: NIODeadline) {
        self.rate = rate
        state = Mutex(State(tokens: Double(max(1, rate.burst)), filled: now))
    }

    /// Takes a token.
    /// - Returns: nil where there was one; else the whole seconds until there is one again.
    func take(now: NIODeadline) -> Int? {
        let perSecond = Double(max(1, rate.perSecond))
        return state.withLock { state in
            let passed = Double(max(0, (now - state.filled).nanoseconds)) / 1e9
            state.tokens = min(Double(max(1, rate.burst)), state.tokens + passed * perSecond)
            state.filled = max(now, state.filled)
            if state.tokens >= 1 {
                state.tokens -= 1
                return nil
            }
            return max(1, Int(((1 - state.tokens) / perSecond).rounded(.up)))
        }
    }
}
