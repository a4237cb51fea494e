import Resource

extension StorageService {
    /// Checks that the place can be used as is needed.
    ///
    /// - Parameters:
    ///   - project: the app key of the project that asks.
    ///   - identity: the service account of that project, which a container's access policy must allow.
    ///   - field: the request's field, for errors.
    /// - Throws: `.invalid(field, …)` with the reason: no such container, NAS or host; not permitted, with the element to
    ///   add to the access policy; nothing there; a path that leads out of its NAS. `.unavailable` with the field where an
    ///   external storage cannot be reached.
    package func probe(
        _ uri: StorageURI, project: String, as identity: StorageIdentity, need: StorageNeed, field: String
    ) async throws {
        let problem = Problem(uri: uri, field: field)
        switch try location(of: uri, project: project, field: field) {
        case .embedded(let tenant, let container, let path):
            let place = ContainerPath(tenant: tenant, container: container)
            try await probeEmbedded(place, path, identity, need, problem)
        case .swift(let host, let tenant, let container, let path):
            let place = ContainerPath(tenant: tenant, container: container)
            do { try await probeRemote(try client(host), place, path, need, problem) } catch let error as TakumiError {
                throw error.field == nil ? TakumiError(error.code, error.message, field: field) : error
            }
        case .folder(let root, let path): try await probeFolder(root, path, need, problem)
        }
    }

    /// Whether `name` is a file at `uri`: an entry point in its source folder, say. `name` is joined as it is; one that
    /// leads out of the place is none.
    package func entryExists(_ uri: StorageURI, _ name: String, project: String, field: String) async throws -> Bool {
        guard !name.isEmpty,
            name.utf8.split(separator: 0x2F, omittingEmptySubsequences: false).allSatisfy({ part in
                !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8) && !part.contains(0)
            })
        else { return false }
        @Sendable func joined(_ path: String) -> String { path.isEmpty ? name : "\(path)/\(name)" }
        switch try location(of: uri, project: project, field: field) {
        case .embedded(let tenant, let container, let path):
            let object = ContainerPath(tenant: tenant, container: container).object(joined(path))
            return try await store.object(object) != nil
        case .swift(let host, let tenant, let container, let path):
            let object = ContainerPath(tenant: tenant, container: container).object(joined(path))
            return try await client(host).head(object) != nil
        case .folder(let root, let path):
            return try await BlockingWork.run {
                guard let real = try? Confinement.existing(joined(path), in: root) else { return false }
                return try Files.status(real)?.kind == .file
            }
        }
    }

    private func probeEmbedded(
        _ place: ContainerPath, _ path: String, _ identity: StorageIdentity, _ need: StorageNeed, _ problem: Problem
    ) async throws {
        guard (try? place.check()) != nil, let policy = try await store.policy(place) else {
            throw problem("container '\(place.container.excerpt)' does not exist")
        }
        let (action, header, words): (StorageAction, String, String) =
            need == .write ? (.write, "X-Container-Write", "write") : (.read, "X-Container-Read", "read")
        guard policy.allows(identity, action, in: place.tenant) else {
            throw problem(
                "the access policy of container '\(place.container.excerpt)' does not let the service account \(words); add "
                    + "'\(identity.grant)' to its \(header)")
        }
        switch need {
        case .write: return
        case .readObject:
            if path.isEmpty { throw problem("names a container; name an object in it") }
            if try await store.object(place.object(path), asStored: true) != nil { return }
        case .readPrefix:
            if !path.isEmpty, try await store.object(place.object(path), asStored: true) != nil { return }
            let prefix = path.isEmpty ? "" : path + "/"
            if try await !store.names(place, ListQuery(prefix: prefix, limit: 1)).isEmpty { return }
        }
        throw problem("there is nothing at '\(path.excerpt)' in container '\(place.container.excerpt)'")
    }

    private func probeRemote(
        _ client: SwiftClient, _ place: ContainerPath, _ path: String, _ need: StorageNeed, _ problem: Problem
    ) async throws {
        do {
            switch need {
            case .write:
                let name = ".takumi-write-check"
                return try await client.checkWritable(place.object(path.isEmpty ? name : "\(path)/\(name)"))
            case .readObject: if !path.isEmpty, try await client.head(place.object(path)) != nil { return }
            case .readPrefix:
                if !path.isEmpty, try await client.head(place.object(path)) != nil { return }
                let prefix = path.isEmpty ? "" : path + "/"
                if try await !client.list(place, prefix: prefix, limit: 1).isEmpty { return }
            }
        } catch let error as TakumiError where error.code == .notFound {
            throw problem("container '\(place.container.excerpt)' does not exist on '\(client.server.host)'")
        } catch let error as TakumiError where error.code == .forbidden {
            throw problem(
                "'\(client.server.host)' does not let the service account use container '\(place.container.excerpt)'; add "
                    + "'\(client.server.tenant):\(client.server.user)' to its access policy")
        }
        throw problem("there is nothing at '\(path.excerpt)' in container '\(place.container.excerpt)'")
    }

    private func probeFolder(_ root: String, _ path: String, _ need: StorageNeed, _ problem: Problem) async throws {
        let found: FileStatus? = try await BlockingWork.run {
            do {
                if need == .write {
                    _ = try Confinement.place(path, in: root)
                    return nil
                }
                return try Confinement.existing(path, in: root).flatMap { try Files.status($0) }
            } catch let error as TakumiError {
                throw problem(error.message)
            }
        }
        switch need {
        case .write: return
        case .readObject: if found?.kind == .file { return }
        case .readPrefix: if let found, found.kind == .file || found.kind == .folder { return }
        }
        throw problem("there is nothing at '\(path.excerpt)'")
    }
}

/// Words a refusal with the URI and the field.
private struct Problem: Sendable {
    let uri: StorageURI
    let field: String

    func callAsFunction(_ reason: String) -> TakumiError {
        .invalid(field, "'\(uri.description.excerpt)': \(reason)")
    }
}
