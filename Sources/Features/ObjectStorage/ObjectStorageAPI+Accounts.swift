import HTTPTypes
import Hummingbird
import Resource
import Storage

extension ObjectStorageAPI {
    private struct ContainerItem: Encodable {
        var name: String
        var count: Int
        var bytes: Int64
        var lastModified: String

        enum CodingKeys: String, CodingKey {
            case name, count, bytes
            case lastModified = "last_modified"
        }
    }

    func answerAccount(_ call: SwiftCall, _ identity: StorageIdentity?) async throws -> Response {
        try authoriseOwner(identity, call.tenant)
        switch call.request.method {
        case .head: return Reply.empty(.noContent, headers(try await store.account(call.tenant)))
        case .get:
            let headers = headers(try await store.account(call.tenant))
            let containers = try await store.containers(call.tenant, query: try call.listQuery())
            return try Reply.listing(
                call, names: containers.map(\.name),
                items: containers.map {
                    ContainerItem(
                        name: $0.name, count: $0.objectCount, bytes: $0.bytesUsed,
                        lastModified: $0.timestamp.iso8601)
                }, headers)
        case .post:
            let changes = try call.request.headers.metadata("x-account-meta-", removing: "x-remove-account-meta-")
            try await store.updateAccount(call.tenant, headers: changes)
            return Reply.empty(.noContent)
        default: return Reply.text(.methodNotAllowed, "accounts are made and removed with their projects\n")
        }
    }

    private func headers(_ account: AccountInfo) -> [String: String] {
        account.headers.merging([
            "X-Account-Container-Count": String(account.containerCount),
            "X-Account-Object-Count": String(account.objectCount),
            "X-Account-Bytes-Used": String(account.bytesUsed),
            "X-Timestamp": account.timestamp.header,
            "Accept-Ranges": "bytes",
        ]) { $1 }
    }
}
