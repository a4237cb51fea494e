#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Whole-path file operations. All of them block.
enum Files {
    static func status(_ path: String, followingLinks: Bool = true) throws(SystemError) -> FileStatus? {
        var value = stat()
        let result = followingLinks ? stat(path, &value) : lstat(path, &value)
        if result == 0 { return FileStatus(value) }
        // A parent that is a file means that nothing is there, just as a missing parent does.
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw SystemError(code: errno, operation: "reading a file's status")
    }

    /// - Returns: false where the folder was there already.
    @discardableResult
    static func makeFolder(_ path: String, mode: mode_t = 0o700, operation: String) throws(SystemError) -> Bool {
        if mkdir(path, mode) == 0 { return true }
        if errno == EEXIST { return false }
        throw SystemError(code: errno, operation: operation)
    }

    /// Makes a folder and all its missing parents.
    static func makeFolders(_ path: String, mode: mode_t = 0o755, operation: String) throws(SystemError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw SystemError(code: errno, operation: operation)
        }
        try makeFolders(String(path[..<slash]), mode: mode, operation: operation)
        try makeFolder(path, mode: mode, operation: operation)
    }

    static func move(_ source: String, to target: String, operation: String) throws(SystemError) {
        try check(operation) { rename(source, target) }
    }

    /// - Returns: false where there was no such file.
    @discardableResult
    static func remove(_ path: String) throws(SystemError) -> Bool {
        if unlink(path) == 0 { return true }
        if errno == ENOENT { return false }
        throw SystemError(code: errno, operation: "removing a file")
    }

    /// - Returns: false where the folder is not empty, or not there.
    static func removeEmptyFolder(_ path: String) -> Bool { rmdir(path) == 0 }

    /// Removes a folder with all that is in it, or a file. Symbolic links are removed, never followed.
    static func removeTree(_ path: String) throws(SystemError) {
        guard let status = try status(path, followingLinks: false) else { return }
        guard status.kind == .folder else {
            try remove(path)
            return
        }
        for entry in try entries(of: path, orEmptyIfMissing: true) { try removeEntry(entry, in: path) }
        if rmdir(path) != 0 && errno != ENOENT { throw SystemError(code: errno, operation: "removing a folder") }
    }

    private static func removeEntry(_ entry: Entry, in folder: String) throws(SystemError) {
        // A name that is not UTF-8 cannot be spelled as a String; its bytes go to the system call as they are.
        guard let name = entry.name else {
            let path = (Array("\(folder)/".utf8) + entry.bytes + [0]).map { CChar(bitPattern: $0) }
            if unlink(path) != 0 { throw SystemError(code: errno, operation: "removing a file") }
            return
        }
        try removeTree("\(folder)/\(name)")
    }

    /// Makes renames and removals in a folder last through a loss of power.
    static func syncFolder(_ path: String, operation: String) throws(SystemError) {
        try OpenFile(path, O_RDONLY | O_DIRECTORY, operation: operation).sync(operation: operation)
    }

    /// The whole content of a small file, or nil where there is none.
    static func read(_ path: String) throws(SystemError) -> [UInt8]? {
        let file: OpenFile
        do { file = try OpenFile(path, O_RDONLY, operation: "reading a file") } catch {
            if error.code == ENOENT || error.code == ENOTDIR { return nil }
            throw error
        }
        var content = [UInt8](repeating: 0, count: Int(try file.status().size))
        var filled = 0
        while filled < content.count {
            let (count, code) = content.withUnsafeMutableBytes { bytes in
                let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[filled...])
                return (pread(file.descriptor, rest.baseAddress, rest.count, off_t(filled)), errno)
            }
            if count < 0 && code == EINTR { continue }
            if count < 0 { throw SystemError(code: code, operation: "reading a file") }
            if count == 0 { break }
            filled += count
        }
        content.removeLast(content.count - filled)
        return content
    }

    /// The path without links, `.` and `..`; nil where it does not exist.
    static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }
}
