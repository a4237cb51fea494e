import Resource

/// Which keys wait, which are being worked on, and when failed ones may be tried again.
///
/// A plain state machine: it holds no clock and starts nothing. Times are durations since an origin of the caller's.
/// One key is never given out twice at once; a key added while it is being worked on is given out again afterwards.
package struct WorkQueue {
    private var ready: [ResourceKey] = []
    private var head = 0
    private var queued: Set<ResourceKey> = []
    private var working: Set<ResourceKey> = []
    private var dirty: Set<ResourceKey> = []
    private var delayed: [ResourceKey: Duration] = [:]
    private var failures: [ResourceKey: (count: Int, last: Duration)] = [:]
    /// So long after a failure, news of a key are most likely the failed work's own writes.
    private static let echo = Duration.milliseconds(100)
    /// No such news waits longer: it may be a user's wish all the same.
    private static let patience = Duration.seconds(5)

    package init() {}

    package var isEmpty: Bool { head == ready.count && working.isEmpty }
    /// The time at which the next delayed key is due.
    package var nextDue: Duration? { delayed.values.min() }

    package mutating func add(_ key: ResourceKey, now: Duration) {
        if let failure = failures[key], !working.contains(key), now - failure.last < WorkQueue.echo {
            schedule(key, at: now + WorkQueue.patience)
        } else {
            push(key)
        }
    }

    private mutating func push(_ key: ResourceKey) {
        if working.contains(key) {
            dirty.insert(key)
        } else if queued.insert(key).inserted {
            ready.append(key)
        }
    }

    /// Moves the keys whose time has come to the ready end.
    package mutating func advance(to now: Duration) {
        for (key, due) in delayed where due <= now {
            delayed[key] = nil
            push(key)
        }
    }

    package mutating func take() -> ResourceKey? {
        guard head < ready.count else { return nil }
        let key = ready[head]
        head += 1
        if head > 1024, head * 2 > ready.count {
            ready.removeFirst(head)
            head = 0
        }
        queued.remove(key)
        working.insert(key)
        return key
    }

    /// Ends the work on a key.
    /// - Parameter again: when to look at it again though nothing changed, counted from `now`.
    package mutating func finish(_ key: ResourceKey, now: Duration, again: Duration? = nil) {
        failures[key] = nil
        working.remove(key)
        if dirty.remove(key) != nil { push(key) }
        if let again { schedule(key, at: now + again) }
    }

    /// Ends the work on a key with an error: it is tried again after 0.1 s, 0.2 s, … at most 30 s.
    ///
    /// What was added meanwhile waits, too, though at most 5 s: most likely the work itself has written, and would otherwise
    /// call itself up for ever, without a pause.
    /// - Returns: the delay.
    @discardableResult
    package mutating func fail(_ key: ResourceKey, now: Duration) -> Duration {
        let count = failures[key]?.count ?? 0
        failures[key] = (count + 1, now)
        working.remove(key)
        let longest = dirty.remove(key) == nil ? Duration.seconds(30) : WorkQueue.patience
        let delay = min(Duration.milliseconds(100) * (1 << min(count, 10)), longest)
        schedule(key, at: now + delay)
        return delay
    }

    private mutating func schedule(_ key: ResourceKey, at due: Duration) {
        delayed[key] = min(delayed[key] ?? due, due)
    }
}
