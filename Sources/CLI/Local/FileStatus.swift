#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What lies at a path of this machine, links followed.
struct FileStatus: Equatable {
    enum Kind: Equatable {
        case file
        case folder
        /// A socket, a pipe, a device: nothing to upload.
        case other
    }

    struct Identity: Hashable {
        var device: UInt64
        var node: UInt64
    }

    var kind: Kind
    var size: Int
    var identity: Identity

    /// - Returns: nil where there is nothing, or nothing that we may see.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        size = Int(status.st_size)
        identity = Identity(device: UInt64(status.st_dev), node: UInt64(status.st_ino))
    }
}

/// Paths as text. Nothing here looks at the disk but `absolute`.
enum LocalPath {
    static func join(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    static func name(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// The path with links, `.` and `..` resolved; nil where it does not exist.
    static func absolute(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Where `path` lies inside `folder`; nil where it does not. Both absolute and resolved.
    static func relative(_ path: String, to folder: String) -> String? {
        let folder = folder.hasSuffix("/") ? folder : folder + "/"
        return path.hasPrefix(folder) && path.count > folder.count ? String(path.dropFirst(folder.count)) : nil
    }
}
