import HTTPTypes
import Hummingbird
import Resource
import Storage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ObjectStorageAPI {
    func write(_ call: SwiftCall, _ path: ObjectPath, _ identity: StorageIdentity?) async throws -> Response {
        let fields = call.request.headers
        if let source = fields["X-Copy-From"] {
            let tenant = fields["X-Copy-From-Account"].map(Self.tenant) ?? call.tenant
            let from = try Self.objectPath(source, tenant: tenant, header: "X-Copy-From")
            try await authorise(identity, .read, from.container)
            return try await copy(call, from, to: path)
        }
        let condition = try condition(call)
        do {
            let info: ObjectInfo
            if call["multipart-manifest"] == "put" {
                info = try await store.putStatic(
                    path, try await segments(call), try attributes(call, path), condition: condition)
            } else {
                info = try await store.put(
                    path, try attributes(call, path), condition: condition, body: call.request.body)
            }
            return Reply.empty(
                .created,
                [
                    "Etag": etag(info), "Last-Modified": info.timestamp.httpDate,
                    "Content-Type": "text/html; charset=UTF-8",
                ])
        } catch let error as TakumiError where condition.isNew && error.code == .conflict {
            throw SwiftCall.unprocessable("If-None-Match", error.message)
        }
    }

    /// COPY: the target is named by a header.
    func copyOut(_ call: SwiftCall, _ path: ObjectPath, _ identity: StorageIdentity?) async throws -> Response {
        guard let destination = call.request.headers["Destination"] else {
            throw SwiftCall.unprocessable("Destination", "name the target as Destination: /container/object")
        }
        let tenant = call.request.headers["Destination-Account"].map(Self.tenant) ?? call.tenant
        let target = try Self.objectPath(destination, tenant: tenant, header: "Destination")
        try await authorise(identity, .write, target.container)
        return try await copy(call, path, to: target)
    }

    private func copy(_ call: SwiftCall, _ source: ObjectPath, to target: ObjectPath) async throws -> Response {
        let isFresh = call.request.headers["X-Fresh-Metadata"].map(SwiftCall.isTrue) ?? false
        guard let from = try await store.object(source, asStored: call.isManifestCall) else { throw notFound(source) }
        let info = try await store.copy(
            source, to: target, try attributes(call, target, guessing: false), isFresh: isFresh,
            asStored: call.isManifestCall)
        return Reply.empty(
            .created,
            [
                "Etag": etag(info), "Last-Modified": info.timestamp.httpDate,
                "X-Copied-From": PercentEncoding.encode(source.container.container) + "/"
                    + PercentEncoding.encode(source.name, keepingSlashes: true),
                "X-Copied-From-Last-Modified": from.timestamp.httpDate,
            ])
    }

    private func condition(_ call: SwiftCall) throws -> UploadCondition {
        let fields = call.request.headers
        var length: Int64?
        if let text = fields[.contentLength] {
            guard let value = Int64(text), value >= 0 else {
                throw TakumiError.invalid("Content-Length", "'\(text.excerpt)' is no length")
            }
            length = value
        } else if fields[.transferEncoding] == nil {
            throw TakumiError.invalid("length", "give a Content-Length, or send the content in chunks")
        }
        if let tag = fields["If-None-Match"], tag != "*" {
            throw TakumiError.invalid("If-None-Match", "only * has a meaning for uploads")
        }
        return UploadCondition(
            length: length, etag: fields["Etag"].map { $0.filter { $0 != "\"" } }, isNew: fields["If-None-Match"] == "*"
        )
    }

    private func attributes(_ call: SwiftCall, _ path: ObjectPath, guessing: Bool = true) throws -> ObjectAttributes {
        let fields = call.request.headers
        var type = fields[.contentType]
        if guessing && (type ?? "").isEmpty { type = ContentTypes.guess(path.name) }
        var manifest: String?
        if let value = fields["X-Object-Manifest"] {
            let decoded = try SwiftCall.decoded(value)
            let text = decoded.hasPrefix("/") ? String(decoded.dropFirst()) : decoded
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw TakumiError.invalid("X-Object-Manifest", "'\(value.excerpt)' must be container/prefix")
            }
            manifest = text
        }
        return ObjectAttributes(contentType: type, headers: try fields.objectHeaders(), manifest: manifest)
    }

    private func segments(_ call: SwiftCall) async throws -> [SegmentRequest] {
        guard let body = try? await call.request.body.collect(upTo: SwiftCall.largestManifest) else {
            throw TakumiError(.tooLarge, "the manifest has more than \(SwiftCall.largestManifest) bytes")
        }
        do { return try JSONDecoder().decode([SegmentRequest].self, from: Data(body.readableBytesView)) } catch {
            throw TakumiError.invalid("segments", "the manifest must be a JSON list of {path, etag, size_bytes, range}")
        }
    }

    private static func tenant(_ account: String) -> String {
        account.hasPrefix("AUTH_") ? String(account.dropFirst(5)) : account
    }

    /// `/container/object`, percent-encoded once.
    private static func objectPath(_ value: String, tenant: String, header: String) throws -> ObjectPath {
        let parts = (value.hasPrefix("/") ? value.dropFirst() : value[...]).split(
            separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw SwiftCall.unprocessable(header, "'\(value.excerpt)' must be container/object")
        }
        return ContainerPath(tenant: tenant, container: try SwiftCall.decoded(parts[0]))
            .object(try SwiftCall.decoded(parts[1]))
    }
}

/// What an object is where the client does not say, by the end of its name. Few on purpose: nothing depends on it.
enum ContentTypes {
    private static let known = [
        "csv": "text/csv", "gz": "application/gzip", "htm": "text/html", "html": "text/html",
        "ipynb": "application/json",
        "jpeg": "image/jpeg", "jpg": "image/jpeg", "json": "application/json", "md": "text/markdown",
        "pdf": "application/pdf",
        "png": "image/png", "py": "text/x-python", "svg": "image/svg+xml", "tar": "application/x-tar",
        "txt": "text/plain",
        "yaml": "application/yaml", "yml": "application/yaml", "zip": "application/zip",
    ]

    static func guess(_ name: String) -> String? {
        guard let dot = name.lastIndex(of: ".") else { return nil }
        return known[name[name.index(after: dot)...].lowercased()]
    }
}
