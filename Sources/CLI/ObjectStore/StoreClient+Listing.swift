import NIOHTTP1

/// An object of a listing, or a folder of one that stops at slashes.
struct StoreEntry: Equatable, Sendable {
    /// The whole name in the container; a folder's ends with a slash.
    var name: String
    var bytes: Int
    var modified: String?
    var isFolder: Bool

    init(name: String, bytes: Int = 0, modified: String? = nil, isFolder: Bool = false) {
        self.name = name
        self.bytes = bytes
        self.modified = modified
        self.isFolder = isFolder
    }

    init?(_ item: JSONValue) {
        if let folder = item["subdir"].string {
            self.init(name: folder, isFolder: true)
        } else if let name = item["name"].string {
            self.init(name: name, bytes: item["bytes"].int ?? 0, modified: item["last_modified"].string)
        } else {
            return nil
        }
    }
}

extension StoreClient {
    private static let page = 1000

    /// The account's containers, as the store describes them.
    func containers() async throws -> [JSONValue] {
        try await pages(of: nil) { marker in
            accountURL([("format", "json"), ("limit", String(Self.page)), ("marker", marker)])
        }
    }

    /// Everything whose name begins with `prefix`, in the order of names.
    /// - Parameter stopping: true lists one level: what lies deeper shows as its folder.
    func list(_ place: RemotePath, prefix: String, stopping: Bool = false) async throws -> [JSONValue] {
        let container = RemotePath(tenant: place.tenant, container: place.container, path: "")
        return try await pages(of: container) { marker in
            var query = [("format", "json"), ("limit", String(Self.page)), ("prefix", prefix), ("marker", marker)]
            if stopping { query.append(("delimiter", "/")) }
            return url(container, query)
        }
    }

    /// The objects that are files: no markers of folders.
    func files(_ place: RemotePath, prefix: String) async throws -> [StoreEntry] {
        try await list(place, prefix: prefix).compactMap { StoreEntry($0) }.filter { !$0.name.hasSuffix("/") }
    }

    private func pages(of place: RemotePath?, _ url: (_ marker: String) -> String) async throws -> [JSONValue] {
        var all: [JSONValue] = []
        while true {
            let marker = all.last.map { $0["subdir"].string ?? $0["name"].text } ?? ""
            let reply = try await send(.GET, url(marker), of: place)
            // An empty listing may come as 204 without a body.
            guard !reply.body.isEmpty, let items = try JSONValue(parsing: reply.body).array else { return all }
            all += items
            // A server is free to send shorter pages than were asked for; only an empty one is the end.
            if items.isEmpty { return all }
        }
    }
}
