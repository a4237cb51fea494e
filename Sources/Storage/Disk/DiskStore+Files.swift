import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension DiskStore {
    /// Stores a local file, given by its real path, as an object. Blocks.
    ///
    /// - Parameter allowingLink: whether the object may share the file's bytes by a hard link where the file system cannot
    ///   clone. Only for files that nobody will write to again; the file becomes read-only.
    func putFile(
        _ file: String, at path: ObjectPath, _ attributes: ObjectAttributes = ObjectAttributes(), allowingLink: Bool,
        progress: FileCopy.Progress = { _ in }
    ) throws -> ObjectInfo {
        try path.check()
        let operation = "storing '\(path.name.excerpt)'"
        let source = try OpenFile(unmoved: file, operation: operation)
        let size = try source.status().size
        if size == 0 {
            let content = Content(file: nil, size: 0, etag: ObjectRecord.emptyEtag)
            return try commit(content, attributes, at: path, isNew: false, operation: operation)
        }
        if allowingLink, let info = try linkFile(file, source, size, at: path, attributes, operation, progress) {
            return info
        }
        let temporary = try TemporaryFile(in: layout.temporary, operation: operation)
        try FileCopy.cloneOrCopy(source, to: temporary.file, operation: operation, progress: progress)
        if isDurable { try temporary.file.sync(operation: operation) }
        // Of the copy, not of the source: the etag must be right even where the source is being written to.
        let content = Content(
            file: temporary, size: try temporary.file.status().size, etag: try Self.md5(of: temporary.file))
        return try commit(content, attributes, at: path, isNew: false, operation: operation)
    }

    /// - Returns: nil where linking is not possible.
    private func linkFile(
        _ file: String, _ source: OpenFile, _ size: Int64, at path: ObjectPath, _ attributes: ObjectAttributes,
        _ operation: String, _ progress: FileCopy.Progress
    ) throws -> ObjectInfo? {
        let before = try source.status()
        let etag = try Self.md5(of: source, progress: progress)
        if isDurable { try source.sync(operation: operation) }
        guard let shared = TemporaryFile(linking: file, in: layout.temporary) else { return nil }
        let after = try source.status()
        guard after.size == size, after.modified == before.modified, try shared.file.status().inode == before.inode
        else {
            throw TakumiError(.conflict, "\(operation): the file changed while it was stored")
        }
        let content = Content(file: shared, size: size, etag: etag)
        return try commit(content, attributes, at: path, isNew: false, operation: operation)
    }
}
