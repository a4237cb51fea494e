import HTTPTypes
import Hummingbird
import Resource
import Storage

extension ObjectStorageAPI {
    /// A line of a listing: an object, or a folder that was rolled up.
    private enum Item: Encodable {
        case object(ObjectInfo)
        case folder(String)

        enum CodingKeys: String, CodingKey {
            case name, hash, bytes, subdir
            case contentType = "content_type"
            case lastModified = "last_modified"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            switch self {
            case .object(let info):
                try container.encode(info.name, forKey: .name)
                try container.encode(info.etag, forKey: .hash)
                try container.encode(info.size, forKey: .bytes)
                try container.encode(info.contentType, forKey: .contentType)
                try container.encode(info.timestamp.iso8601, forKey: .lastModified)
            case .folder(let name): try container.encode(name, forKey: .subdir)
            }
        }
    }

    func answerContainer(_ call: SwiftCall, _ path: ContainerPath, _ identity: StorageIdentity?) async throws
        -> Response
    {
        switch call.request.method {
        case .head:
            try await authorise(identity, .list, path)
            return Reply.empty(.noContent, try await headers(path, identity))
        case .get:
            try await authorise(identity, .list, path)
            return try await list(call, path, identity)
        case .put:
            try authoriseOwner(identity, path.tenant)
            let isNew = try await store.createContainer(path, try change(call))
            return Reply.empty(isNew ? .created : .accepted)
        case .post:
            try authoriseOwner(identity, path.tenant)
            try await store.updateContainer(path, try change(call))
            return Reply.empty(.noContent)
        case .delete:
            try authoriseOwner(identity, path.tenant)
            try await store.deleteContainer(path)
            return Reply.empty(.noContent)
        default: return Reply.text(.methodNotAllowed, "not for containers\n")
        }
    }

    private func list(_ call: SwiftCall, _ path: ContainerPath, _ identity: StorageIdentity?) async throws -> Response {
        let headers = try await headers(path, identity)
        let query = try call.listQuery()
        if !call.wantsJSON {
            let names = try await store.names(path, query)
            return try Reply.listing(call, names: names, items: [String](), headers)
        }
        let entries = try await store.list(path, query)
        return try Reply.listing(
            call, names: [],
            items: entries.map { entry -> Item in
                switch entry {
                case .object(let info): .object(info)
                case .folder(let name): .folder(name)
                }
            }, headers)
    }

    /// Who may do what is shown to the owner only.
    private func headers(_ path: ContainerPath, _ identity: StorageIdentity?) async throws -> [String: String] {
        guard let info = try await store.container(path) else {
            throw TakumiError(.notFound, "container '\(path.container.excerpt)' does not exist")
        }
        var headers = info.headers.merging([
            "X-Container-Object-Count": String(info.objectCount),
            "X-Container-Bytes-Used": String(info.bytesUsed),
            "X-Timestamp": info.timestamp.header,
            "X-Storage-Policy": "default",
            "Accept-Ranges": "bytes",
        ]) { $1 }
        if let identity, identity.isOwner(of: path.tenant) {
            if !info.policy.readHeader.isEmpty { headers["X-Container-Read"] = info.policy.readHeader }
            if !info.policy.writeHeader.isEmpty { headers["X-Container-Write"] = info.policy.writeHeader }
        }
        return headers
    }

    private func change(_ call: SwiftCall) throws -> ContainerChange {
        let fields = call.request.headers
        return ContainerChange(
            headers: try fields.metadata("x-container-meta-", removing: "x-remove-container-meta-"),
            read: fields["X-Remove-Container-Read"] == nil ? fields["X-Container-Read"] : "",
            write: fields["X-Remove-Container-Write"] == nil ? fields["X-Container-Write"] : "")
    }
}
