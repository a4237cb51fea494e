import Synchronization

/// Encoded answers by resource and version, so that a long list is put together from bytes and not encoded again.
final class WireCache: Sendable {
    private struct Entry {
        var version: Int
        var embedded: [Int]
        var bytes: [UInt8]
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var size = 0
    }

    private let state = Mutex(State())
    /// Bytes. Past it everything is dropped: simple, and rare enough not to matter.
    private let limit = 24 << 20

    func bytes(_ id: String, version: Int, embedded: [Int]) -> [UInt8]? {
        state.withLock { state in
            guard let entry = state.entries[id], entry.version == version, entry.embedded == embedded else {
                return nil
            }
            return entry.bytes
        }
    }

    func store(_ bytes: [UInt8], _ id: String, version: Int, embedded: [Int]) {
        state.withLock { state in
            if state.size > limit { state = State() }
            state.size += bytes.count - (state.entries[id]?.bytes.count ?? 0)
            state.entries[id] = Entry(version: version, embedded: embedded, bytes: bytes)
        }
    }
}
