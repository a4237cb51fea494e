import Resource

/// Keeps paths inside a folder. A path from outside is judged by where it really leads, after all links.
enum Confinement {
    /// The real path of `path` under `root`; nil where it does not exist.
    ///
    /// - Throws: `.forbidden` where it leads out of `root`.
    static func existing(_ path: String, in root: String) throws -> String? {
        guard let base = Files.resolved(root) else { return nil }
        guard let real = Files.resolved(path.isEmpty ? root : "\(root)/\(path)") else { return nil }
        guard contains(base, real) else { throw escape(path) }
        return real
    }

    /// The place of `path` under `root`, which need not exist yet.
    ///
    /// - Throws: `.notFound` where `root` is missing; `.forbidden` where what exists of the path leads out of it.
    static func place(_ path: String, in root: String) throws -> String {
        guard let base = Files.resolved(root) else { throw TakumiError(.notFound, "the directory is not mounted") }
        var known = path[...]
        var missing = ""
        while true {
            let candidate = known.isEmpty ? root : "\(root)/\(known)"
            if let real = Files.resolved(candidate) {
                guard contains(base, real) else { throw escape(path) }
                return real + missing
            }
            // A link that leads nowhere would be followed by whoever creates its target.
            if try Files.status(candidate, followingLinks: false) != nil { throw escape(path) }
            guard let slash = known.utf8.lastIndex(of: 0x2F) else {
                return base + "/" + known + missing
            }
            missing = "/" + known[known.utf8.index(after: slash)...] + missing
            known = known[..<slash]
        }
    }

    static func contains(_ base: String, _ path: String) -> Bool {
        base == "/" || path.utf8.elementsEqual(base.utf8) || path.utf8.starts(with: (base + "/").utf8)
    }

    private static func escape(_ path: String) -> TakumiError {
        TakumiError(.forbidden, "'\(path.excerpt)' leads out of the directory")
    }
}
