#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The files of a folder that are to be uploaded.
struct FolderScan {
    struct File: Equatable, Sendable {
        /// On this machine.
        var path: String
        /// Below the folder, with slashes.
        var name: String
        var size: Int
    }

    private(set) var files: [File] = []
    /// Sockets, pipes and broken links, which cannot be uploaded.
    private(set) var skipped: [String] = []

    var bytes: Int { files.reduce(0) { $0 + $1.size } }

    /// All files below `folder`, sorted by name. Links are followed, as a program that reads the folder would follow
    /// them; one that leads back to a folder above itself is not.
    /// - Parameter rules: nil for everything.
    /// - Throws: `CommandFailure` where a folder cannot be read: half a dataset must not look like one.
    init(_ folder: String, rules: IgnoreRules? = nil, without: Set<String> = []) throws {
        var above: Set<FileStatus.Identity> = []
        try scan(folder, prefix: "", rules: rules, without: without, above: &above)
        files.sort { $0.name < $1.name }
    }

    private mutating func scan(
        _ folder: String, prefix: String, rules: IgnoreRules?, without: Set<String>,
        above: inout Set<FileStatus.Identity>
    ) throws {
        guard let status = FileStatus(folder), above.insert(status.identity).inserted else { return }
        defer { above.remove(status.identity) }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw CommandFailure("the folder \(folder) cannot be read; check its permissions")
        }
        for name in names {
            let path = LocalPath.join(folder, name)
            let relative = prefix + name
            guard let status = FileStatus(path) else {
                if rules?.verdict(relative, isFolder: false) != .ignored { skipped.append(relative) }
                continue
            }
            let isFolder = status.kind == .folder
            let verdict = rules?.verdict(relative, isFolder: isFolder) ?? .kept
            if verdict == .ignored || without.contains(relative) { continue }
            switch status.kind {
            case .folder:
                // A virtual environment by another name than .venv: gigabytes that would not run elsewhere anyway.
                if verdict == .unmentioned, FileStatus(LocalPath.join(path, "pyvenv.cfg")) != nil { continue }
                try scan(path, prefix: relative + "/", rules: rules, without: without, above: &above)
            case .file: files.append(File(path: path, name: relative, size: status.size))
            case .other: skipped.append(relative)
            }
        }
    }
}
