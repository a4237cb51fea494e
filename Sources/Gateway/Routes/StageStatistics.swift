/// What a stage's requests were, minute by minute.
package struct StageStatistics: Sendable, Equatable, Codable {
    package struct Minute: Sendable, Equatable, Codable {
        /// Minutes since 1970.
        package var minute: Int
        package var succeeded = 0
        /// 4xx.
        package var refused = 0
        /// 5xx, and answers that broke off.
        package var failed = 0
        /// How many took up to each of `StageStatistics.bounds`; the last counts all above.
        package var latencies: [Int]

        package var calls: Int { succeeded + refused + failed }

        package init(minute: Int) {
            self.minute = minute
            latencies = Array(repeating: 0, count: StageStatistics.bounds.count + 1)
        }
    }

    /// Upper bounds of the latency classes, in milliseconds: each 1.25 times the one before, 0.05 ms to beyond a minute.
    package static let bounds: [Double] = (0..<64).map { 0.05 * Double.pow(1.25, $0) }

    /// Oldest first; minutes without a call are left out. At most a week.
    package var minutes: [Minute]

    package init(minutes: [Minute] = []) { self.minutes = minutes }

    /// The value below which the given part of the calls lies, in milliseconds: the upper bound of its class.
    /// - Parameter part: 0 to 1.
    /// - Returns: nil without calls.
    package static func percentile(_ part: Double, of latencies: [Int]) -> Double? {
        let total = latencies.reduce(0, +)
        guard total > 0 else { return nil }
        var seen = 0
        for (index, count) in latencies.enumerated() {
            seen += count
            if Double(seen) >= part * Double(total) { return bounds[min(index, bounds.count - 1)] }
        }
        return bounds.last
    }
}

extension Double {
    fileprivate static func pow(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { result, _ in result * base }
    }
}
