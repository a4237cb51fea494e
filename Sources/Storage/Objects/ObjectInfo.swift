/// What kind of object a name stands for.
package enum ObjectKind: Sendable, Equatable {
    case plain
    /// A dynamic large object: its content is that of all objects under the prefix, in the order of their names.
    case dynamic(container: String, prefix: String)
    /// A static large object: its content is that of a recorded list of segments.
    case `static`

    package var isLarge: Bool { self != .plain }
}

/// What HEAD tells of an object.
package struct ObjectInfo: Sendable, Equatable {
    package var name: String
    /// In bytes; of a large object the sum of its segments.
    package var size: Int64
    /// MD5 in hexadecimal without quotes. Of a large object the MD5 of its segments' etags joined.
    package var etag: String
    package var contentType: String
    package var timestamp: Timestamp
    /// `x-object-meta-*` and the content headers that are kept, in lower case.
    package var headers: [String: String]
    package var kind: ObjectKind
}

/// What an upload says of its object besides the content.
package struct ObjectAttributes: Sendable, Equatable {
    package var contentType: String?
    /// In lower case, as in `ObjectInfo.headers`.
    package var headers: [String: String]
    /// `container/prefix` of the segments where the object is a manifest.
    package var manifest: String?

    package init(contentType: String? = nil, headers: [String: String] = [:], manifest: String? = nil) {
        self.contentType = contentType
        self.headers = headers
        self.manifest = manifest
    }

    package static let defaultContentType = "application/octet-stream"
}

/// A container with its totals.
package struct ContainerInfo: Sendable, Equatable {
    package var name: String
    package var objectCount: Int
    package var bytesUsed: Int64
    package var timestamp: Timestamp
    /// `x-container-meta-*`, in lower case.
    package var headers: [String: String]
    package var policy: AccessPolicy
}

/// An account with its totals.
package struct AccountInfo: Sendable, Equatable {
    package var containerCount: Int
    package var objectCount: Int
    package var bytesUsed: Int64
    package var timestamp: Timestamp
    /// `x-account-meta-*`, in lower case.
    package var headers: [String: String]
}
