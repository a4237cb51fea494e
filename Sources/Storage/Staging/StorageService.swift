import Resource
import Synchronization

/// What a resource wants of a place.
package enum StorageNeed: Sendable {
    /// An object of that name, or objects below it as a folder.
    case readPrefix
    /// An object of that very name.
    case readObject
    case write
}

/// Finds the storage that a URI stands for, and checks before a resource is created that it can be used.
package final class StorageService: Sendable {
    let store: DiskStore
    let configuration: StorageConfiguration
    private let isEmbedded: @Sendable (String) -> Bool
    private let clients = Mutex<[String: SwiftClient]>([:])

    /// - Parameters:
    ///   - store: the embedded store.
    ///   - isEmbedded: whether `obs://{host}` (with the port, in lower case) is the embedded store.
    package init(
        store: DiskStore, configuration: StorageConfiguration, isEmbedded: @escaping @Sendable (String) -> Bool
    ) {
        self.store = store
        self.configuration = configuration
        self.isEmbedded = isEmbedded
    }

    /// Closes connections. Must be called before the last reference goes.
    package func shutdown() async throws {
        let open = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in open { try await client.shutdown() }
    }

    /// What a task file tells its agent. Does not look whether anything is there.
    ///
    /// - Parameter project: the app key of the project that asks.
    /// - Throws: `.invalid` with the field: an unknown host or NAS, a NAS of another project, `s3://`, `file://` where it
    ///   is off.
    package func location(of uri: StorageURI, project: String, field: String) throws -> StageLocation {
        switch uri {
        case .object(let host, let tenant, let container, let path):
            if isEmbedded(host) { return .embedded(tenant: tenant, container: container, path: path) }
            if configuration.server(host) != nil {
                return .swift(host: host, tenant: tenant, container: container, path: path)
            }
            let known = configuration.swift.map(\.host).joined(separator: ", ")
            throw TakumiError.invalid(
                field,
                "'\(uri.description.excerpt)': no object storage '\(host)' is configured"
                    + (known.isEmpty ? "; use this server's own" : "; known are this server's own and \(known)"))
        case .nas(let id, let path):
            guard let nas = configuration.nas[id] else {
                throw TakumiError.invalid(field, "'\(uri.description.excerpt)': there is no NAS '\(id)'")
            }
            // As if it were not there: what other projects have is not theirs to know.
            if let projects = nas.projects, !projects.contains(project) {
                throw TakumiError.invalid(
                    field, "'\(uri.description.excerpt)': there is no NAS '\(id)' in this project")
            }
            return .folder(root: nas.path, path: path)
        case .s3:
            throw TakumiError.invalid(
                field, "'\(uri.description.excerpt)': s3:// is not supported yet; use obs:// or nas://")
        case .file(let path):
            guard configuration.allowFile else {
                throw TakumiError.invalid(
                    field, "'\(uri.description.excerpt)': file:// is not allowed on this server; use obs:// or nas://")
            }
            return .folder(root: "/", path: String(path.dropFirst()))
        }
    }

    func client(_ host: String) throws -> SwiftClient {
        try clients.withLock { clients in
            if let known = clients[host] { return known }
            guard let server = configuration.server(host) else {
                throw TakumiError(.invalid, "no object storage '\(host)' is configured")
            }
            let client = try SwiftClient(server, pauses: [.milliseconds(300), .seconds(1)])
            clients[host] = client
            return client
        }
    }
}
