import NIOCore

/// Pauses between starts of a worker that keeps ending: 0.1 s, doubling to 10 s, from the start again after a minute of health.
struct Backoff {
    private static let first = TimeAmount.milliseconds(100)
    private static let longest = TimeAmount.seconds(10)
    private static let health = TimeAmount.seconds(60)

    private var next = Backoff.first

    /// - Parameter healthy: how long the worker that has just ended was ready.
    mutating func pause(healthy: TimeAmount) -> TimeAmount {
        if healthy >= Backoff.health { next = Backoff.first }
        defer { next = min(next + next, Backoff.longest) }
        return next
    }
}
