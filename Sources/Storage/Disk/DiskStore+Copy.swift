import Crypto
import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension DiskStore {
    /// Copies an object inside the store. A plain object's bytes are shared, not copied: data files are immutable.
    ///
    /// - Parameters:
    ///   - attributes: what to set besides; its headers are laid over the source's, or replace them where `isFresh`.
    ///   - asStored: true copies a manifest as a manifest, false its content as a plain object.
    /// - Throws: `.notFound`; `.tooLarge` where a large object's content exceeds one object's limit.
    @discardableResult
    package func copy(
        _ source: ObjectPath, to target: ObjectPath, _ attributes: ObjectAttributes = ObjectAttributes(),
        isFresh: Bool = false, asStored: Bool = false, condition: UploadCondition = UploadCondition()
    ) async throws -> ObjectInfo {
        try source.check()
        try target.check()
        return try await BlockingWork.run {
            guard let record = try record(of: source) else { throw Self.noObject(source) }
            var merged = attributes
            if !isFresh {
                merged.contentType = attributes.contentType ?? record.contentType
                merged.headers = record.headers.merging(attributes.headers) { $1 }
            }
            let operation = "copying '\(source.name.excerpt)'"
            if asStored && record.kind.isLarge {
                merged.manifest = record.manifest
                let content = Content(file: nil, size: 0, etag: record.etag, segments: record.segments)
                return try commit(content, merged, at: target, isNew: condition.isNew, operation: operation)
            }
            let content = try duplicate(source, operation: operation)
            try Self.check(size: content.size, etag: content.etag, UploadCondition(etag: condition.etag))
            return try commit(content, merged, at: target, isNew: condition.isNew, operation: operation)
        }
    }

    /// The object's content as a new file in `tmp`.
    private func duplicate(_ path: ObjectPath, operation: String) throws -> Content {
        guard let source = try openBlocking(path) else { throw Self.noObject(path) }
        if source.info.size > Self.largestObject { throw Self.tooLarge }
        if source.info.size == 0 { return Content(file: nil, size: 0, etag: ObjectRecord.emptyEtag) }
        if !source.info.kind.isLarge, let part = source.parts.first,
            let shared = TemporaryFile(linking: part.path, in: layout.temporary)
        {
            return Content(file: shared, size: source.info.size, etag: source.info.etag)
        }
        let temporary = try TemporaryFile(in: layout.temporary, operation: operation)
        let size = try Self.write(source.parts, to: temporary.file, operation: operation)
        if isDurable { try temporary.file.sync(operation: operation) }
        let etag = try Self.md5(of: temporary.file)
        return Content(file: temporary, size: size, etag: etag)
    }

    /// Writes an object's parts one after the other. Returns the number of bytes.
    static func write(
        _ parts: [Part], to output: OpenFile, operation: String, progress: FileCopy.Progress = { _ in }
    ) throws -> Int64 {
        var size: Int64 = 0
        for part in parts {
            let start = size
            let input = try OpenFile(part.path, O_RDONLY, operation: operation)
            size += try FileCopy.copy(
                input, from: part.offset, length: part.length, to: output, at: start, operation: operation,
                progress: { try progress(start + $0) })
        }
        return size
    }

    static func md5(of file: OpenFile, progress: FileCopy.Progress = { _ in }) throws -> String {
        var hasher = Insecure.MD5()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var position: Int64 = 0
        while true {
            let count = try file.read(into: buffer, at: position)
            if count == 0 { return hasher.finalize().hexadecimal }
            hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            position += Int64(count)
            try progress(position)
        }
    }
}
