#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Files {
    /// One name in a folder.
    struct Entry: Sendable {
        let bytes: [UInt8]
        /// nil where the file system did not say, and `status` must be asked.
        let kind: FileStatus.Kind?

        /// nil where the name is not UTF-8.
        var name: String? { String(validating: bytes, as: UTF8.self) }
    }

    /// The names in a folder in no order, without `.` and `..`.
    static func entries(of path: String, orEmptyIfMissing: Bool = false) throws(SystemError) -> [Entry] {
        guard let folder = opendir(path) else {
            if orEmptyIfMissing && (errno == ENOENT || errno == ENOTDIR) { return [] }
            throw SystemError(code: errno, operation: "listing a folder")
        }
        defer { closedir(folder) }
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else {
                if errno == 0 { return entries }
                throw SystemError(code: errno, operation: "listing a folder")
            }
            let kind: FileStatus.Kind? =
                switch Int32(entry.pointee.d_type) {
                case Int32(DT_REG): .file
                case Int32(DT_DIR): .folder
                case Int32(DT_LNK): .link
                case Int32(DT_UNKNOWN): nil
                default: .other
                }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { name in Array(name.prefix { $0 != 0 }) }
            if bytes != [0x2E] && bytes != [0x2E, 0x2E] { entries.append(Entry(bytes: bytes, kind: kind)) }
        }
    }
}
