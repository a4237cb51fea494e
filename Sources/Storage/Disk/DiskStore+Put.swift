import Crypto
import NIOCore
import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What must hold for an upload to become visible.
package struct UploadCondition: Sendable {
    /// The bytes announced; nil where the client did not say.
    package var length: Int64?
    /// The MD5 that the content must have, in hexadecimal.
    package var etag: String?
    /// The object must not exist yet.
    package var isNew: Bool

    package init(length: Int64? = nil, etag: String? = nil, isNew: Bool = false) {
        self.length = length
        self.etag = etag
        self.isNew = isNew
    }
}

extension DiskStore {
    /// Stores an object. Nothing of it is visible before all of it is on disk, and nothing is left of it where `body` ends
    /// early or throws.
    ///
    /// - Throws: `.notFound` (container); `.invalid` with field `ETag` or `Content-Length` where the content is not what
    ///   was announced; `.tooLarge`; `.conflict` where it had to be new; `.unavailable` when the disk is full.
    @discardableResult
    package func put<Body: AsyncSequence>(
        _ path: ObjectPath, _ attributes: ObjectAttributes = ObjectAttributes(),
        condition: UploadCondition = UploadCondition(), body: Body
    ) async throws -> ObjectInfo where Body.Element == ByteBuffer {
        try path.check()
        if let length = condition.length, length > Self.largestObject { throw Self.tooLarge }
        let operation = "storing '\(path.name.excerpt)'"
        let temporary = try await BlockingWork.run {
            // Asked before the content is read, so that a large upload to nowhere ends at once.
            guard try Files.status(layout.container(path.container).record) != nil else {
                throw Self.noContainer(path.container)
            }
            return try TemporaryFile(in: layout.temporary, operation: operation)
        }
        var hasher = Insecure.MD5()
        var size: Int64 = 0
        for try await buffer in body {
            if size + Int64(buffer.readableBytes) > Self.largestObject { throw Self.tooLarge }
            hasher = try await BlockingWork.run { [hasher, size] in
                var hasher = hasher
                try buffer.withUnsafeReadableBytes { bytes in
                    try temporary.file.write(bytes, at: size, operation: operation)
                    hasher.update(bufferPointer: bytes)
                }
                return hasher
            }
            size += Int64(buffer.readableBytes)
        }
        try Self.check(size: size, etag: hasher.finalize().hexadecimal, condition)
        return try await BlockingWork.run { [hasher, size] in
            if isDurable { try temporary.file.sync(operation: operation) }
            let content = Content(file: size > 0 ? temporary : nil, size: size, etag: hasher.finalize().hexadecimal)
            return try commit(content, attributes, at: path, isNew: condition.isNew, operation: operation)
        }
    }

    /// Finished bytes on the store's disk, not yet part of an object.
    struct Content {
        /// nil for no bytes.
        var file: TemporaryFile?
        var size: Int64
        var etag: String
        var segments: [ObjectRecord.Segment]?
    }

    /// Makes an object visible. Its content becomes a data file, then its record is renamed over the old one, then the
    /// old content goes: a kill in between leaves an unnamed data file for `sweep` at worst.
    func commit(
        _ content: Content, _ attributes: ObjectAttributes, at path: ObjectPath, isNew: Bool, operation: String
    ) throws -> ObjectInfo {
        var record = ObjectRecord(
            name: path.name, size: content.size, etag: content.etag,
            contentType: attributes.contentType ?? ObjectAttributes.defaultContentType, timestamp: clock(),
            headers: attributes.headers, data: content.file.map { _ in TemporaryFile.freshName() },
            manifest: attributes.manifest, segments: content.segments)
        let draft = try TemporaryFile(in: layout.temporary, operation: operation)
        try RecordFile.write(record, to: draft.file, durably: isDurable, operation: operation)
        let changedFolders = try withLock(path.container) { container in
            let old = try self.record(of: path)
            if isNew && old != nil { throw TakumiError(.conflict, "object '\(path.name.excerpt)' exists already") }
            if let old, old.timestamp >= record.timestamp {
                record.timestamp = Timestamp(ticks: old.timestamp.ticks + 1)
                try RecordFile.write(record, to: draft.file, durably: isDurable, operation: operation)
            }
            var changed: Set<String> = []
            if let file = content.file, let data = record.data {
                let folder = container.dataFolder(data)
                if try Files.makeFolder(folder, operation: operation) { changed.insert("\(container.folder)/data") }
                _ = fchmod(file.file.descriptor, 0o444)
                try file.move(to: container.data(data), operation: operation)
                changed.insert(folder)
            }
            do {
                let entry = container.entry(for: path.name)
                try makeNameFolders(entry.folder, in: container, changed: &changed, operation: operation)
                try draft.move(to: "\(entry.folder)/\(entry.file)", operation: operation)
                changed.insert(entry.folder)
            } catch {
                // Out of disk for a folder, say: the content must not stay behind unnamed.
                if let data = record.data { _ = try? Files.remove(container.data(data)) }
                throw error
            }
            if let data = old?.data { try Files.remove(container.data(data)) }
            return changed
        }
        if isDurable { for folder in changedFolders { try Files.syncFolder(folder, operation: operation) } }
        return try info(of: record, at: path)
    }

    private func makeNameFolders(
        _ folder: String, in container: ContainerLayout, changed: inout Set<String>, operation: String
    ) throws {
        do {
            if try Files.makeFolder(folder, operation: operation), let slash = folder.utf8.lastIndex(of: 0x2F) {
                changed.insert(String(folder[..<slash]))
            }
        } catch {
            guard error.code == ENOENT, folder.utf8.count > container.names.utf8.count,
                let slash = folder.utf8.lastIndex(of: 0x2F)
            else { throw error }
            try makeNameFolders(String(folder[..<slash]), in: container, changed: &changed, operation: operation)
            try makeNameFolders(folder, in: container, changed: &changed, operation: operation)
        }
    }

    static func check(size: Int64, etag: String, _ condition: UploadCondition) throws {
        if let length = condition.length, length != size {
            throw TakumiError.invalid("Content-Length", "\(length) bytes were announced and \(size) came")
        }
        if let wanted = condition.etag, wanted.lowercased() != etag {
            throw TakumiError.invalid("ETag", "the content's MD5 is \(etag), not \(wanted.excerpt)")
        }
    }

    static let tooLarge = TakumiError(
        .tooLarge, "an object has at most 5 GiB; upload larger ones in segments with a manifest")
}
