import NIOCore

/// Decides which requests go to the worker together, and when.
///
/// Requests that can be joined wait in one lane, in the order of their arrival. The lane whose head is the oldest goes first,
/// so that a stream of one kind cannot keep another out. A pure value: it holds no clock and sends nothing.
struct Batcher {
    struct Limits: Sendable {
        /// Rows of a call. A request with more of them goes alone.
        var rows = 32
        /// Bytes of a call, so that joining does not copy without bound. A larger request goes alone.
        var bytes = 16 << 20
        /// How long a call that is not full waits for more, counted from its first request's arrival.
        var window = TimeAmount.zero
        /// Calls that the worker has at a time.
        var calls = 2
    }

    /// What two requests must have in common to be joined.
    struct Kind: Equatable {
        var dialect: InferenceRequest.Dialect
        var verb: InferenceRequest.Verb
        /// Empty for JSON.
        var inputs: [TensorHead] = []
        /// Joins nothing.
        var alone = false

        static func == (one: Kind, other: Kind) -> Bool {
            guard one.dialect == other.dialect, one.verb == other.verb, !one.alone, !other.alone,
                one.inputs.count == other.inputs.count
            else { return false }
            for index in one.inputs.indices where !one.inputs[index].joins(other.inputs[index]) { return false }
            return true
        }
    }

    enum Step: Equatable {
        case send([RequestID], rows: [Int])
        /// Ask again at this time, or when something happens before.
        case wait(until: NIODeadline)
        case nothing
    }

    private struct Entry {
        var id: RequestID
        var rows: Int
        var bytes: Int
        var arrival: NIODeadline
    }

    private struct Lane {
        var kind: Kind
        var entries: CircularBuffer<Entry>
        var rows: Int
    }

    var limits: Limits
    private(set) var waiting = 0
    private var lanes: [Lane] = []
    /// Rows of the calls that the worker has, the oldest first.
    private var calls: [Int] = []

    init(limits: Limits) { self.limits = limits }

    mutating func add(_ id: RequestID, kind: Kind, rows: Int, bytes: Int, now: NIODeadline) {
        let entry = Entry(id: id, rows: rows, bytes: bytes, arrival: now)
        waiting += 1
        if let index = lanes.firstIndex(where: { $0.kind == kind }) {
            lanes[index].entries.append(entry)
            lanes[index].rows += rows
        } else {
            var entries = CircularBuffer<Entry>(initialCapacity: 16)
            entries.append(entry)
            lanes.append(Lane(kind: kind, entries: entries, rows: rows))
        }
    }

    /// Takes back a request that has not been sent.
    /// - Returns: false where it does not wait.
    @discardableResult
    mutating func remove(_ id: RequestID) -> Bool {
        for lane in lanes.indices {
            guard let index = lanes[lane].entries.firstIndex(where: { $0.id == id }) else { continue }
            lanes[lane].rows -= lanes[lane].entries[index].rows
            lanes[lane].entries.remove(at: index)
            if lanes[lane].entries.isEmpty { lanes.remove(at: lane) }
            waiting -= 1
            return true
        }
        return false
    }

    /// A call has been answered.
    mutating func finish(rows: Int) {
        if let index = calls.firstIndex(of: rows) { calls.remove(at: index) }
    }

    /// The worker has gone, and its calls with it.
    mutating func forgetCalls() { calls.removeAll(keepingCapacity: true) }

    /// What to do now. Asked again after each `send`, until it says something else.
    mutating func next(now: NIODeadline) -> Step {
        guard waiting > 0, calls.count < limits.calls else { return .nothing }
        var soonest: NIODeadline?
        var chosen: Int?
        for index in lanes.indices {
            let arrival = lanes[index].entries[lanes[index].entries.startIndex].arrival
            let due = arrival + limits.window
            if lanes[index].rows < limits.rows, !lanes[index].kind.alone, due > now {
                soonest = min(soonest ?? due, due)
                continue
            }
            // A second call keeps the worker from waiting for us between two. It must not be much smaller than the one that is
            // worked on, since each costs the model about the same, however few rows it has. (Measured with one row of iris:
            // one call at a time 28,000 requests a second with 16 connections and 66,000 with 64; two of any size 32,000 and
            // 58,000; two, the second at least half as large, 32,000 and 68,000.)
            if let current = calls.first, lanes[index].rows < min(limits.rows, (current + 1) / 2) { continue }
            if let best = chosen, arrival >= lanes[best].entries[lanes[best].entries.startIndex].arrival { continue }
            chosen = index
        }
        guard let chosen else { return soonest.map { .wait(until: $0) } ?? .nothing }
        return take(chosen)
    }

    private mutating func take(_ lane: Int) -> Step {
        var ids: [RequestID] = []
        var rows: [Int] = []
        var sum = 0
        var bytes = 0
        while let entry = lanes[lane].entries.first {
            if !ids.isEmpty {
                guard sum + entry.rows <= limits.rows, bytes + entry.bytes <= limits.bytes, !lanes[lane].kind.alone
                else { break }
            }
            lanes[lane].entries.removeFirst()
            ids.append(entry.id)
            rows.append(entry.rows)
            sum += entry.rows
            bytes += entry.bytes
        }
        lanes[lane].rows -= sum
        waiting -= ids.count
        if lanes[lane].entries.isEmpty { lanes.remove(at: lane) }
        calls.append(sum)
        return .send(ids, rows: rows)
    }
}
