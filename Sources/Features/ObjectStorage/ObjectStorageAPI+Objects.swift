import HTTPTypes
import Hummingbird
import Resource
import Storage

extension ObjectStorageAPI {
    func answerObject(_ call: SwiftCall, _ path: ObjectPath, _ identity: StorageIdentity?) async throws -> Response {
        let isReading = [.get, .head].contains(call.request.method) || call.request.method.rawValue == "COPY"
        try await authorise(identity, isReading ? .read : .write, path.container)
        switch call.request.method {
        case .head, .get: return try await read(call, path)
        case .put: return try await write(call, path, identity)
        case .post:
            let headers = call.request.headers
            try await store.updateObject(
                path, contentType: headers[.contentType], headers: try headers.objectHeaders())
            return Reply.empty(.accepted)
        case .delete: return try await delete(call, path)
        default: return try await copyOut(call, path, identity)
        }
    }

    private func read(_ call: SwiftCall, _ path: ObjectPath) async throws -> Response {
        if call.isManifestCall, let segments = try await store.segments(of: path) {
            var response = try Reply.json(segments)
            response.headers["X-Static-Large-Object"] = "True"
            return response
        }
        if call.request.method == .head {
            guard let info = try await store.object(path, asStored: call.isManifestCall) else { throw notFound(path) }
            var response = Reply.empty(.ok, headers(info))
            if let early = unmet(call, info) { response = early }
            response.headers[.contentLength] = early(response) ? "0" : String(info.size)
            return response
        }
        guard let content = try await store.open(path, asStored: call.isManifestCall) else { throw notFound(path) }
        if let early = unmet(call, content.info) { return early }
        return send(call, content)
    }

    private func early(_ response: Response) -> Bool { response.status != .ok }

    private func send(_ call: SwiftCall, _ content: ObjectContent) -> Response {
        let size = content.info.size
        var range = 0..<size
        var status = HTTPResponse.Status.ok
        var headers = headers(content.info)
        if let wanted = call.request.headers[.range].flatMap({ ByteRange($0) }), mayUseRange(call, content.info) {
            guard let bytes = wanted.resolved(in: size) else {
                return Reply.empty(.rangeNotSatisfiable, ["Content-Range": "bytes */\(size)"])
            }
            range = bytes
            status = .partialContent
            headers["Content-Range"] = "bytes \(bytes.lowerBound)-\(bytes.upperBound - 1)/\(size)"
        }
        let reader = content.reader(range)
        // Each piece is read only when the one before was taken, so a slow client holds one piece in memory.
        let body = ResponseBody(contentLength: Int(range.upperBound - range.lowerBound)) { writer in
            var reader = reader
            while let piece = try await reader.next() { try await writer.write(piece) }
            try await writer.finish(nil)
        }
        var response = Response(status: status, body: body)
        for (name, value) in headers { response.headers[name] = value }
        // The console has the same origin. A file that a browser shows, of a public container say, must not act as a
        // page of it.
        response.headers[.contentSecurityPolicy] = "sandbox"
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }

    /// A range of another version than the client has is no use to it.
    private func mayUseRange(_ call: SwiftCall, _ info: ObjectInfo) -> Bool {
        guard let condition = call.request.headers["If-Range"] else { return true }
        if let date = Timestamp(httpDate: condition) { return info.timestamp.wholeSeconds <= date.wholeSeconds }
        return condition.filter { $0 != "\"" } == info.etag
    }

    /// The reply to a condition that is not met, in the order of RFC 9110, 13.2.2.
    private func unmet(_ call: SwiftCall, _ info: ObjectInfo) -> Response? {
        let fields = call.request.headers
        func matches(_ list: String) -> Bool {
            list.split(separator: ",").contains { tag in
                let tag = tag.filter { $0 != "\"" && $0 != " " }
                return tag == "*" || tag == info.etag || tag == "W/" + info.etag
            }
        }
        if let list = fields["If-Match"] {
            if !matches(list) { return Reply.empty(.preconditionFailed) }
        } else if let date = fields["If-Unmodified-Since"].flatMap({ Timestamp(httpDate: $0) }),
            info.timestamp.wholeSeconds > date.wholeSeconds
        {
            return Reply.empty(.preconditionFailed)
        }
        if let list = fields["If-None-Match"] {
            if matches(list) { return Reply.empty(.notModified, ["Etag": etag(info)]) }
        } else if let date = fields["If-Modified-Since"].flatMap({ Timestamp(httpDate: $0) }),
            info.timestamp.wholeSeconds <= date.wholeSeconds
        {
            return Reply.empty(.notModified, ["Etag": etag(info)])
        }
        return nil
    }

    func headers(_ info: ObjectInfo) -> [String: String] {
        var headers = info.headers
        headers["Content-Type"] = info.contentType
        headers["Etag"] = etag(info)
        headers["Last-Modified"] = info.timestamp.httpDate
        headers["X-Timestamp"] = info.timestamp.header
        headers["Accept-Ranges"] = "bytes"
        switch info.kind {
        case .plain: break
        case .static: headers["X-Static-Large-Object"] = "True"
        case .dynamic(let container, let prefix):
            headers["X-Object-Manifest"] =
                PercentEncoding.encode(container) + "/" + PercentEncoding.encode(prefix, keepingSlashes: true)
        }
        return headers
    }

    /// Swift quotes the etags of large objects only, and clients compare the others as they are.
    func etag(_ info: ObjectInfo) -> String { info.kind.isLarge ? "\"\(info.etag)\"" : info.etag }

    private func delete(_ call: SwiftCall, _ path: ObjectPath) async throws -> Response {
        guard call["multipart-manifest"] == "delete" else {
            try await store.deleteObject(path)
            return Reply.empty(.noContent)
        }
        let (deleted, missing) = try await store.deleteWithSegments(path)
        let status = "200 OK"
        if call.wantsJSON {
            return try Reply.json(
                DeleteReport(deleted: deleted, missing: missing, status: status, errors: []))
        }
        return Reply.text(
            .ok, "Number Deleted: \(deleted)\nNumber Not Found: \(missing)\nResponse Status: \(status)\nErrors:\n")
    }

    private struct DeleteReport: Encodable {
        var deleted: Int
        var missing: Int
        var status: String
        var errors: [String]

        enum CodingKeys: String, CodingKey {
            case deleted = "Number Deleted"
            case missing = "Number Not Found"
            case status = "Response Status"
            case errors = "Errors"
        }
    }

    func notFound(_ path: ObjectPath) -> TakumiError {
        TakumiError(.notFound, "object '\(path.name.excerpt)' does not exist")
    }
}
