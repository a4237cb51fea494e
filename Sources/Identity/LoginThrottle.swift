/// Slows down whoever guesses passwords. A value: it holds no clock and starts nothing.
///
/// Counted by user and address, so that a stranger cannot lock a user out from elsewhere; by address alone, against one
/// guesser with many names; and by user alone, generously, against many addresses.
package struct LoginThrottle: Sendable {
    private struct Failures {
        var count = 0
        var last: Duration
    }

    private enum Key: Hashable {
        case pair(user: String, address: String)
        case address(String)
        case user(String)

        /// How many failures cost nothing.
        var free: Int {
            switch self {
            case .pair: 5
            case .address: 30
            case .user: 100
            }
        }
    }

    private var failures: [Key: Failures] = [:]
    private let memory = Duration.seconds(15 * 60)
    private let longest = 300.0

    package init() {}

    /// - Parameter now: since any fixed moment.
    /// - Returns: how long to wait before the next try; nil where it may be made now.
    package func delay(user: String, address: String, now: Duration) -> Duration? {
        let delays = keys(user, address).compactMap { key -> Duration? in
            guard let failures = failures[key], failures.count >= key.free, now - failures.last < memory else {
                return nil
            }
            var seconds = 1.0
            for _ in key.free..<failures.count where seconds < longest { seconds *= 2 }
            let left = failures.last + .seconds(min(seconds, longest)) - now
            return left > .zero ? left : nil
        }
        return delays.max()
    }

    package mutating func failed(user: String, address: String, now: Duration) {
        // Bounded: names are free to make up.
        if failures.count > 10_000 { failures = failures.filter { now - $0.value.last < memory } }
        if failures.count > 50_000 { failures = [:] }
        for key in keys(user, address) {
            var entry = failures[key] ?? Failures(last: now)
            if now - entry.last >= memory { entry.count = 0 }
            entry.count += 1
            entry.last = now
            failures[key] = entry
        }
    }

    /// Takes back what `failed` counted before the password was looked at.
    package mutating func succeeded(user: String, address: String) {
        failures[.pair(user: user, address: address)] = nil
        for key in [Key.address(address), .user(user)] {
            guard let entry = failures[key] else { continue }
            failures[key] = entry.count > 1 ? Failures(count: entry.count - 1, last: entry.last) : nil
        }
    }

    private func keys(_ user: String, _ address: String) -> [Key] {
        [.pair(user: user, address: address), .address(address), .user(user)]
    }
}
