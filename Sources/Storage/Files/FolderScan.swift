/// The regular files below a folder, for transfers.
struct FolderScan {
    struct File: Sendable, Equatable {
        /// With slashes, relative to the folder.
        let name: String
        /// The real path, after links.
        let path: String
        let size: Int64
    }

    private(set) var files: [File] = []
    /// One line for each entry that is left out.
    private(set) var warnings: [String] = []
    private let root: String

    /// Links are followed where they stay inside the folder; everything else that is no regular file is left out with a
    /// warning. Sorted by name.
    static func scan(_ folder: String) throws -> FolderScan {
        guard let root = Files.resolved(folder) else { return FolderScan(root: folder) }
        var scan = FolderScan(root: root)
        try scan.visit(root, named: "", within: [root])
        scan.files.sort { Names.precedes($0.name.utf8, $1.name.utf8) }
        return scan
    }

    private init(root: String) { self.root = root }

    /// One file under its own name. `path` has no links.
    init(single path: String, size: Int64) {
        root = path
        files = [File(name: String(path.split(separator: "/").last ?? ""), path: path, size: size)]
    }

    /// - Parameter within: the real paths of the folders that this one lies in, so that a link cannot make a loop.
    private mutating func visit(_ folder: String, named prefix: String, within: Set<String>) throws {
        for entry in try Files.entries(of: folder, orEmptyIfMissing: true) {
            guard let name = entry.name else {
                warnings.append(
                    "'\(prefix)\(String(decoding: entry.bytes, as: UTF8.self))' is left out: its name is not UTF-8")
                continue
            }
            var path = "\(folder)/\(name)"
            guard var status = try Files.status(path, followingLinks: false) else { continue }
            if status.kind == .link {
                guard let real = Files.resolved(path), Confinement.contains(root, real),
                    let target = try Files.status(real)
                else {
                    warnings.append("'\(prefix)\(name)' is left out: the link leads out of the folder, or nowhere")
                    continue
                }
                (path, status) = (real, target)
            }
            switch status.kind {
            case .file: files.append(File(name: prefix + name, path: path, size: status.size))
            case .folder where within.contains(path):
                warnings.append("'\(prefix)\(name)' is left out: the link leads to a folder that it lies in")
            case .folder: try visit(path, named: "\(prefix)\(name)/", within: within.union([path]))
            case .link, .other: warnings.append("'\(prefix)\(name)' is left out: it is no regular file")
            }
        }
    }
}
