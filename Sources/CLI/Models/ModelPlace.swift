/// Where `--path` says that a model's files are.
enum ModelPlace {
    /// Somewhere else already.
    case uri(String)
    /// `CONTAINER/PATH` of the server's store.
    case stored(String)
    /// On this machine: a file, or a folder with the files in it. The path is absolute.
    case local(String, [FolderScan.File], skipped: [String])

    /// A word that could be either means what exists here, as for `takumi storage cp`.
    /// - Throws: `CommandFailure` where there is nothing to upload: a model would only find out later.
    init(_ path: String) throws {
        if path.contains("://") {
            self = .uri(path)
            return
        }
        guard let absolute = LocalPath.absolute(path), let status = FileStatus(absolute) else {
            let isLocal = path.hasPrefix("/") || path.hasPrefix(".") || path.hasPrefix("~") || !path.contains("/")
            guard isLocal else {
                self = .stored(path)
                return
            }
            throw CommandFailure("--path: there is no '\(path)' here; \(Self.remedy)")
        }
        switch status.kind {
        case .file:
            let file = FolderScan.File(path: absolute, name: LocalPath.name(absolute), size: status.size)
            self = .local(absolute, [file], skipped: [])
        case .folder:
            let scan = try FolderScan(absolute, rules: IgnoreRules())
            if scan.files.isEmpty { throw CommandFailure("--path: there are no files in '\(path)'; \(Self.remedy)") }
            self = .local(absolute, scan.files, skipped: scan.skipped)
        case .other: throw CommandFailure("--path: '\(path)' is neither a file nor a folder; \(Self.remedy)")
        }
    }

    private static let remedy = "give a file or folder here, CONTAINER/PATH, or a URI such as obs://…"
}

extension ModelPlace {
    /// The place as a URI; what is on this machine is uploaded first.
    /// - Parameter name: the model's, which the folder is named after.
    func uri(for name: String, _ session: Session) async throws -> String {
        switch self {
        case .uri(let uri): return uri
        case .stored(let path):
            let store = try await StoreClient(session)
            return store.info.uri(of: try store.parse(path))
        case .local(let path, let files, let skipped):
            skipped.forEach { session.console.note("left out '\($0)': it is neither a file nor a folder") }
            let store = try await StoreClient(session)
            let folder = try await store.newFolder(name, in: "models")
            try await store.upload(files, to: folder, title: "uploading the model", console: session.console)
            let size = "\(Format.count(files.count, "file")), \(Format.bytes(files.reduce(0) { $0 + $1.size }))"
            session.console.note("uploaded the model: \(size), from \(path) to \(folder.short)")
            return store.info.uri(of: folder)
        }
    }
}
