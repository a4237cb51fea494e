import Synchronization

/// One folder of the tree of names, sorted.
final class NameFolder: Sendable {
    /// A part of a name. A folder's key ends with a slash, so that sorting keys sorts whole names.
    struct Child: Sendable {
        let key: [UInt8]
        let isObject: Bool
    }

    struct Totals: Sendable, Equatable {
        var count = 0
        var bytes: Int64 = 0
    }

    let modified: Int64
    let children: [Child]
    /// The totals of the objects right in this folder, once somebody asked.
    private let knownTotals = Mutex<Totals?>(nil)

    init(modified: Int64, children: [Child]) {
        self.modified = modified
        self.children = children
    }

    func totals(_ compute: () throws -> Totals) rethrows -> Totals {
        if let known = knownTotals.withLock({ $0 }) { return known }
        let totals = try compute()
        knownTotals.withLock { $0 = totals }
        return totals
    }

    /// The first child that a listing from `lower` on has to look at: a folder that contains `lower` comes right before
    /// the place where `lower` itself would be.
    func start(from lower: some Collection<UInt8>) -> Int {
        var (low, high) = (0, children.count)
        while low < high {
            let middle = (low + high) / 2
            if Names.precedes(children[middle].key, lower) { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }
}

/// Remembers folders of the tree of names by their modification time, so that paging through a container or asking for
/// its totals does not read the same folders again and again. Correct also when other processes write: every change in a
/// folder changes its time.
final class FolderCache: Sendable {
    private struct State {
        var folders: [String: NameFolder] = [:]
        var children = 0
    }

    private let state = Mutex(State())
    /// About 10 MB of names.
    private let limit = 200_000
    /// Kernels stamp files by a clock that ticks every 1 to 10 ms: a folder that changed just now may change again
    /// without a new time, and must not be remembered yet.
    private static let settling: Int64 = 200_000_000

    /// - Returns: nil where there is no such folder.
    func folder(_ path: String) throws -> NameFolder? {
        let now = Timestamp.now().ticks * 10_000
        guard let status = try Files.status(path) else { return nil }
        if let known = state.withLock({ $0.folders[path] }), known.modified == status.modified { return known }
        let folder = NameFolder(modified: status.modified, children: try Self.children(of: path))
        state.withLock { state in
            if let old = state.folders.removeValue(forKey: path) { state.children -= old.children.count }
            guard now - status.modified > Self.settling, folder.children.count <= limit else { return }
            if state.children + folder.children.count > limit { state = State() }
            state.folders[path] = folder
            state.children += folder.children.count + 8
        }
        return folder
    }

    private static func children(of path: String) throws -> [NameFolder.Child] {
        let entries = try Files.entries(of: path, orEmptyIfMissing: true)
        var children = entries.compactMap { entry -> NameFolder.Child? in
            switch entry.bytes.first {
            case UInt8(ascii: "f"): NameFolder.Child(key: Array(entry.bytes.dropFirst()), isObject: true)
            case UInt8(ascii: "d"): NameFolder.Child(key: entry.bytes.dropFirst() + [0x2F], isObject: false)
            default: nil
            }
        }
        children.sort { Names.precedes($0.key, $1.key) }
        return children
    }
}
