/// A place in the object store: a container, and a path in it that may be empty.
struct RemotePath: Equatable, Sendable {
    /// Whose account: the tenant's id.
    var tenant: String
    var container: String
    /// As written: a slash at its end says that a folder is meant.
    var path: String

    /// The path without slashes at its ends.
    var trimmedPath: String {
        var path = path[...]
        while path.hasSuffix("/") { path = path.dropLast() }
        return String(path)
    }

    var saysFolder: Bool { path.isEmpty || path.hasSuffix("/") }

    /// What the names of everything in the folder begin with.
    var folderPrefix: String { trimmedPath.isEmpty ? "" : trimmedPath + "/" }

    func appending(_ name: String) -> RemotePath {
        RemotePath(tenant: tenant, container: container, path: folderPrefix + name)
    }

    /// As people write it: `CONTAINER/path`.
    var short: String { path.isEmpty ? container : "\(container)/\(path)" }
}

/// What the server says of its object store (`GET /storage`).
struct StoreInfo: Equatable, Sendable {
    /// `obs://host:port/v1/AUTH_tenant`, without a slash at its end.
    var uri: String
    var tenant: String
    var defaultContainer: String
    /// `tenant:user` of the account that trainings read and write as; what an access policy has to allow (12.1).
    var serviceGrant: String

    init(_ envelope: JSONValue) throws(CommandFailure) {
        let storage = envelope["storage"]
        let account = storage["serviceAccount"]
        guard let uri = storage["obsUri"].string, let tenant = storage["tenantId"].string, uri.hasPrefix("obs://")
        else {
            throw CommandFailure("the server does not say where its object store is")
        }
        self.uri = uri.hasSuffix("/") ? String(uri.dropLast()) : uri
        self.tenant = tenant
        defaultContainer = storage["defaultContainer"].string ?? "easymaker"
        serviceGrant = "\(account["tenantId"].text):\(account["apiUserId"].text)"
    }

    /// The `obs://` form, which trainings are given.
    func uri(of place: RemotePath) -> String {
        let base = "\(uri[..<(uri.lastIndex(of: "/") ?? uri.endIndex)])/AUTH_\(place.tenant)/\(place.container)"
        return place.path.isEmpty ? base : "\(base)/\(place.path)"
    }

    /// `obs://HOST/v1/AUTH_tenant/container/path` of this server's store, or the short `CONTAINER/path`.
    /// - Parameter alsoKnownAs: another address of this server, such as `http://localhost:8080`.
    /// - Throws: a usage `CommandFailure` that says what is wrong with it.
    func parse(_ text: String, alsoKnownAs: String = "") throws(CommandFailure) -> RemotePath {
        guard text.hasPrefix("obs://") else { return try short(text) }
        let parts = text.dropFirst("obs://".count).split(separator: "/", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[2].hasPrefix("AUTH_"), parts[2].count > 5, !parts[3].isEmpty else {
            throw .usage("'\(text)' is not a place in object storage; write \(uri)/CONTAINER/PATH, or CONTAINER/PATH")
        }
        guard Self.isSame(text, uri) || Self.isSame(text, alsoKnownAs) else {
            throw .usage("'\(text)' is not in this server's object storage, which is \(uri)")
        }
        return RemotePath(
            tenant: String(parts[2].dropFirst(5)), container: String(parts[3]),
            path: parts.count > 4 ? String(parts[4]) : "")
    }

    /// Whether two addresses are of one machine. The port does not count: a server that is started again may have
    /// another, and the places of older trainings are still its own.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        let hosts = [left, right].map { address -> String in
            let authority = address.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first ?? ""
            let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } : authority.prefix { $0 != ":" }
            return ["localhost", "[::1"].contains(host.lowercased()) ? "127.0.0.1" : host.lowercased()
        }
        return hosts[0] == hosts[1] && !hosts[0].isEmpty
    }

    private func short(_ text: String) throws(CommandFailure) -> RemotePath {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let container = parts.first, !container.isEmpty, !text.contains("://") else {
            throw .usage("'\(text)' is not a place in object storage; write CONTAINER/PATH, or obs://…")
        }
        return RemotePath(tenant: tenant, container: String(container), path: parts.count > 1 ? String(parts[1]) : "")
    }
}
