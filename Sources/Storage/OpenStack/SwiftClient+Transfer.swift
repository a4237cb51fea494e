import AsyncHTTPClient
import Crypto
import NIOCore
import NIOHTTP1
import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension SwiftClient {
    /// Larger files are uploaded in segments: servers take at most 5 GiB at once, and a broken 2 GiB is enough to repeat.
    package static let largestUpload: Int64 = 2 << 30
    static let segmentSize: Int64 = 1 << 30

    /// Fetches an object into a file that appears only when its length, and where it has one its MD5, are right.
    ///
    /// - Parameter progress: the bytes of this file so far; starts again from 0 when an attempt is repeated.
    /// - Returns: the number of bytes.
    @discardableResult
    package func download(
        _ path: ObjectPath, to file: String, progress: @Sendable (Int64) -> Void = { _ in }
    ) async throws -> Int64 {
        let what = "fetching '\(path.name.excerpt)'"
        let draft = "\(file).part-\(TemporaryFile.freshName().prefix(8))"
        defer { unlink(draft) }
        var attempt = 0
        while true {
            do {
                let size = try await fetch(path, into: draft, what: what, progress: progress)
                try await BlockingWork.run { try Files.move(draft, to: file, operation: what) }
                return size
            } catch let error as TakumiError where error.code != .unavailable || error.isDiskFull {
                throw error
            } catch let error as CancellationError {
                throw error
            } catch {
                try Task.checkCancellation()
                guard attempt < pauses.count else {
                    throw error as? TakumiError
                        ?? TakumiError(.unavailable, "\(what): the connection to '\(server.host)' broke (\(error))")
                }
                try await Task.sleep(for: pauses[attempt])
                attempt += 1
            }
        }
    }

    private func fetch(
        _ path: ObjectPath, into draft: String, what: String, progress: (Int64) -> Void
    ) async throws -> Int64 {
        let reply = try await send(what) { HTTPClientRequest(url: url(path.container, path.name)) }
        let object = Self.object(path.name, reply.headers)
        let output = try await BlockingWork.run {
            try OpenFile(draft, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644, operation: what)
        }
        var hasher = Insecure.MD5()
        var size: Int64 = 0
        for try await buffer in reply.body {
            hasher = try await BlockingWork.run { [hasher, size] in
                var hasher = hasher
                try buffer.withUnsafeReadableBytes { bytes in
                    try output.write(bytes, at: size, operation: what)
                    hasher.update(bufferPointer: bytes)
                }
                return hasher
            }
            size += Int64(buffer.readableBytes)
            progress(size)
        }
        guard reply.headers.first(name: "Content-Length").map({ $0 == String(size) }) ?? true else {
            throw TakumiError(.unavailable, "\(what): \(size) of \(object.size) bytes came")
        }
        // The etag of a large object is not the MD5 of its content.
        let isPlain = object.manifest == nil && !object.isStatic && object.etag.count == 32
        if isPlain && object.etag.lowercased() != hasher.finalize().hexadecimal {
            throw TakumiError(.unavailable, "\(what): the content does not match its MD5")
        }
        return size
    }

    /// Stores a file, in segments with a manifest where it is large.
    ///
    /// - Parameter progress: the bytes of this file so far.
    package func upload(
        _ file: String, to path: ObjectPath, progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws {
        let source = try await BlockingWork.run {
            try OpenFile(file, O_RDONLY, operation: "storing '\(path.name.excerpt)'")
        }
        try await upload(source, to: path, progress: progress)
    }

    func upload(
        _ source: OpenFile, to path: ObjectPath, segmentsAbove limit: Int64 = SwiftClient.largestUpload,
        segmentSize: Int64 = SwiftClient.segmentSize, progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws {
        let size = try await BlockingWork.run { try source.status().size }
        if size <= limit {
            return try await put(FilePieces(file: source, range: 0..<size, progress: progress), at: path)
        }
        // A folder of its own for every upload: segments of an earlier, longer file must not be taken for this one's.
        let folder = "\(path.name)/.segments-\(TemporaryFile.freshName().prefix(12))/"
        do {
            var number = 0
            for start in stride(from: 0, to: size, by: Int64.Stride(segmentSize)) {
                number += 1
                let range = start..<min(size, start + segmentSize)
                let pieces = FilePieces(file: source, range: range, progress: progress)
                try await put(pieces, at: path.container.object(folder + number.padded(6)))
            }
            try await putManifest(path, prefix: "\(path.container.container)/\(folder)")
        } catch {
            try? await deleteSegments(path, except: nil, prefix: folder)
            throw error
        }
        try await deleteSegments(path, except: folder, prefix: "\(path.name)/.segments-")
    }

    private func put(_ pieces: FilePieces, at path: ObjectPath) async throws {
        do {
            let reply = try await send("storing '\(path.name.excerpt)'") {
                var request = HTTPClientRequest(url: url(path.container, path.name))
                request.method = .PUT
                request.headers.add(name: "Content-Type", value: ObjectAttributes.defaultContentType)
                request.body =
                    pieces.range.isEmpty ? nil : .stream(pieces, length: .known(Int64(pieces.range.count)))
                return request
            }
            _ = try await reply.body.collect(upTo: 1 << 20)
        } catch let error as TakumiError where error.code == .notFound {
            // Of an upload only the container can be missing.
            throw TakumiError(
                .notFound, "container '\(path.container.container.excerpt)' does not exist on '\(server.host)'")
        }
    }

    private func putManifest(_ path: ObjectPath, prefix: String) async throws {
        let reply = try await send("storing '\(path.name.excerpt)'") {
            var request = HTTPClientRequest(url: url(path.container, path.name))
            request.method = .PUT
            request.headers.add(name: "Content-Type", value: ObjectAttributes.defaultContentType)
            request.headers.add(
                name: "X-Object-Manifest", value: PercentEncoding.encode(prefix, keepingSlashes: true))
            return request
        }
        _ = try await reply.body.collect(upTo: 1 << 20)
    }

    private func deleteSegments(_ path: ObjectPath, except kept: String?, prefix: String) async throws {
        for object in try await list(path.container, prefix: prefix) {
            if let kept, object.name.utf8.starts(with: kept.utf8) { continue }
            try await delete(path.container.object(object.name))
        }
    }
}

/// Part of a file as a request's body, read as it is asked for.
struct FilePieces: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let file: OpenFile
    let range: Range<Int64>
    let progress: @Sendable (Int64) -> Void

    struct AsyncIterator: AsyncIteratorProtocol {
        let pieces: FilePieces
        var position: Int64

        mutating func next() async throws -> ByteBuffer? {
            try Task.checkCancellation()
            let wanted = Int(Swift.min(256 << 10, pieces.range.upperBound - position))
            guard wanted > 0 else { return nil }
            let buffer = try await BlockingWork.run { [file = pieces.file, position] in
                var buffer = ByteBufferAllocator().buffer(capacity: wanted)
                try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
                    try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted]), at: position)
                }
                return buffer
            }
            if buffer.readableBytes == 0 { throw TakumiError(.conflict, "a file became shorter while it was uploaded") }
            position += Int64(buffer.readableBytes)
            pieces.progress(position)
            return buffer
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: self, position: range.lowerBound) }
}
