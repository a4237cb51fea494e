import Resource

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One piece that a client names for a static large object.
package struct SegmentRequest: Sendable, Codable {
    /// `/container/object`
    package var path: String
    package var etag: String?
    package var sizeBytes: Int64?
    /// `first-last`, both in bytes and included.
    package var range: String?

    enum CodingKeys: String, CodingKey {
        case path, etag, range
        case sizeBytes = "size_bytes"
    }

    package init(path: String, etag: String? = nil, sizeBytes: Int64? = nil, range: String? = nil) {
        self.path = path
        self.etag = etag
        self.sizeBytes = sizeBytes
        self.range = range
    }
}

/// One piece of a static large object as `multipart-manifest=get` shows it.
package struct SegmentInfo: Sendable, Encodable, Equatable {
    package var name: String
    package var hash: String
    package var bytes: Int64
    package var contentType: String
    package var lastModified: String
    package var range: String?

    enum CodingKeys: String, CodingKey {
        case name, hash, bytes, range
        case contentType = "content_type"
        case lastModified = "last_modified"
    }
}

extension DiskStore {
    package static let mostSegments = 1000

    /// Stores a static large object: a list of objects that together are its content.
    ///
    /// - Throws: `.invalid` naming each segment that is missing, or has another size or etag than the client says.
    @discardableResult
    package func putStatic(
        _ path: ObjectPath, _ segments: [SegmentRequest], _ attributes: ObjectAttributes = ObjectAttributes(),
        condition: UploadCondition = UploadCondition()
    ) async throws -> ObjectInfo {
        try path.check()
        guard (1...Self.mostSegments).contains(segments.count) else {
            throw TakumiError.invalid(
                "segments", "the manifest names \(segments.count) segments; use 1 to \(Self.mostSegments)")
        }
        return try await BlockingWork.run {
            var resolved: [ObjectRecord.Segment] = []
            var problems: [String] = []
            for segment in segments {
                do { resolved.append(try resolve(segment, of: path)) } catch let error as TakumiError {
                    problems.append("\(segment.path.excerpt): \(error.message)")
                }
            }
            if !problems.isEmpty {
                throw TakumiError.invalid("segments", problems.prefix(20).joined(separator: "; "))
            }
            let etag = Self.joinedEtag(
                resolved.map { segment in
                    guard let first = segment.first, let last = segment.last else { return segment.etag }
                    return "\(segment.etag):\(first)-\(last);"
                })
            // The announced ETag is of the joined etags, the length that of the list: only the first is comparable.
            try Self.check(size: 0, etag: etag, UploadCondition(etag: condition.etag))
            let content = Content(file: nil, size: 0, etag: etag, segments: resolved)
            let operation = "storing '\(path.name.excerpt)'"
            return try commit(content, attributes, at: path, isNew: condition.isNew, operation: operation)
        }
    }

    /// The pieces of a static large object; nil where the object is none.
    package func segments(of path: ObjectPath) async throws -> [SegmentInfo]? {
        try path.check()
        return try await BlockingWork.run {
            try record(of: path)?.segments?.map { segment in
                SegmentInfo(
                    name: "/\(segment.container)/\(segment.name)", hash: segment.etag, bytes: segment.size,
                    contentType: segment.contentType, lastModified: segment.modified.iso8601,
                    range: segment.first.flatMap { first in segment.last.map { "\(first)-\($0)" } })
            }
        }
    }

    /// Deletes a static large object together with its segments.
    ///
    /// - Returns: how many objects were deleted, and how many segments were gone already.
    /// - Throws: `.notFound` where the object itself does not exist.
    package func deleteWithSegments(_ path: ObjectPath) async throws -> (deleted: Int, missing: Int) {
        try path.check()
        return try await BlockingWork.run {
            guard let record = try record(of: path) else { throw Self.noObject(path) }
            var (deleted, missing) = (0, 0)
            for segment in record.segments ?? [] {
                let container = ContainerPath(tenant: path.container.tenant, container: segment.container)
                do {
                    try remove(container.object(segment.name))
                    deleted += 1
                } catch let error as TakumiError where error.code == .notFound {
                    missing += 1
                }
            }
            try remove(path)
            return (deleted + 1, missing)
        }
    }

    private func resolve(_ request: SegmentRequest, of manifest: ObjectPath) throws -> ObjectRecord.Segment {
        let path = request.path.utf8.first == 0x2F ? request.path.dropFirst() : request.path[...]
        guard let slash = path.utf8.firstIndex(of: 0x2F) else {
            throw TakumiError.invalid("segments", "is not a path like /container/object")
        }
        let name = String(path[path.utf8.index(after: slash)...])
        let place = ContainerPath(tenant: manifest.container.tenant, container: String(path[..<slash])).object(name)
        try place.check()
        guard let record = try record(of: place) else { throw TakumiError(.notFound, "404 Not Found") }
        guard record.kind == .plain else { throw TakumiError(.invalid, "is itself a large object") }
        if let size = request.sizeBytes, size != record.size { throw TakumiError(.invalid, "Size Mismatch") }
        if let etag = request.etag, etag.lowercased() != record.etag { throw TakumiError(.invalid, "Etag Mismatch") }
        if record.size == 0 { throw TakumiError(.invalid, "Too small; each segment must be at least 1 byte") }
        var segment = ObjectRecord.Segment(
            container: place.container.container, name: name, etag: record.etag, size: record.size,
            contentType: record.contentType, modified: record.timestamp)
        if let range = request.range {
            guard let bytes = ByteRange("bytes=\(range)")?.resolved(in: record.size) else {
                throw TakumiError(.invalid, "Unsatisfiable Range")
            }
            segment.first = bytes.lowerBound
            segment.last = bytes.upperBound - 1
        }
        return segment
    }
}
