#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The file that makes an object visible: its name, its metadata, and which immutable data file holds its content.
/// Replacing it is one rename, so an object is there whole or not at all.
struct ObjectRecord: Codable, Sendable {
    /// One piece of a static large object.
    struct Segment: Codable, Sendable, Equatable {
        var container: String
        var name: String
        var etag: String
        /// Of the whole segment object.
        var size: Int64
        var contentType: String
        var modified: Timestamp
        /// Which bytes of the segment object are used; nil for all.
        var first: Int64?
        var last: Int64?

        var usedSize: Int64 {
            guard let first, let last else { return size }
            return last - first + 1
        }
    }

    var name: String
    /// Of the object's own content; a manifest has none.
    var size: Int64
    var etag: String
    var contentType: String
    var timestamp: Timestamp
    var headers: [String: String]
    /// The data file under the container's `data` folder; nil where there are no bytes.
    var data: String?
    /// The manifest of a dynamic large object.
    var manifest: String?
    /// The segments of a static large object.
    var segments: [Segment]?

    static let emptyEtag = "d41d8cd98f00b204e9800998ecf8427e"

    /// The kind, with the manifest split at its first slash.
    var kind: ObjectKind {
        if segments != nil { return .static }
        guard let manifest, let slash = manifest.firstIndex(of: "/") else { return .plain }
        return .dynamic(
            container: String(manifest[..<slash]), prefix: String(manifest[manifest.index(after: slash)...]))
    }

    /// As a listing shows it: a dynamic large object has no size there, in Swift as here.
    var info: ObjectInfo {
        ObjectInfo(
            name: name, size: segments.map { $0.reduce(0) { $0 + $1.usedSize } } ?? size, etag: etag,
            contentType: contentType, timestamp: timestamp, headers: headers, kind: kind)
    }
}

/// The file that makes a container one.
struct ContainerRecord: Codable, Sendable {
    var timestamp: Timestamp
    var headers: [String: String] = [:]
    var read: String = ""
    var write: String = ""
}

/// Metadata of an account.
struct AccountRecord: Codable, Sendable {
    var timestamp: Timestamp
    var headers: [String: String] = [:]
}

/// Records as JSON files.
enum RecordFile {
    /// - Returns: nil where there is no such file.
    static func read<Record: Decodable>(_ path: String, as type: Record.Type) throws -> Record? {
        guard let bytes = try Files.read(path) else { return nil }
        return try JSONDecoder().decode(type, from: Data(bytes))
    }

    static func write(_ record: some Encodable, to file: OpenFile, durably: Bool, operation: String) throws {
        let content = try JSONEncoder().encode(record)
        try content.withUnsafeBytes { try file.write($0, at: 0, operation: operation) }
        if durably { try file.sync(operation: operation) }
    }
}
