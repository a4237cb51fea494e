extension StageList {
    /// Lists what a path in the embedded store stands for. Blocks.
    static func embedded(_ store: DiskStore, _ container: ContainerPath, _ path: String) throws -> StageList {
        var objects: [Object] = []
        for query in queries(path) {
            for case .object(var info) in try store.entries(of: container, query) {
                if query.limit == 1 && !Names.same(info.name, path) { continue }
                if case .dynamic = info.kind, let whole = try store.openBlocking(container.object(info.name)) {
                    info.size = whole.info.size
                }
                objects.append(Object(name: info.name, size: info.size, contentType: info.contentType, kind: info.kind))
            }
        }
        return try StageList(objects, at: path, container: container.container)
    }

    /// Lists what a path on an OpenStack Swift stands for.
    static func remote(_ client: SwiftClient, _ container: ContainerPath, _ path: String) async throws -> StageList {
        var listed: [RemoteObject] = []
        for query in queries(path) {
            let found = try await client.list(container, prefix: query.prefix, limit: query.limit)
            listed += query.limit == 1 ? found.filter { Names.same($0.name, path) } : found
        }
        var objects: [Object] = []
        for (index, object) in listed.enumerated() {
            var kind = ObjectKind.plain
            var size = object.size
            // A listing does not tell what is a manifest. A dynamic one has no size in it, and only where names lie below
            // an object's own name does it matter whether those are its segments.
            let next = index + 1 < listed.count ? listed[index + 1].name : ""
            if size == 0 || next.utf8.starts(with: (object.name + "/").utf8),
                let head = try await client.head(container.object(object.name))
            {
                if head.isStatic { kind = .static }
                if let manifest = head.manifest, let slash = manifest.firstIndex(of: "/") {
                    kind = .dynamic(
                        container: String(manifest[..<slash]), prefix: String(manifest[manifest.index(after: slash)...])
                    )
                }
                size = head.size
            }
            objects.append(Object(name: object.name, size: size, contentType: object.contentType, kind: kind))
        }
        return try StageList(objects, at: path, container: container.container)
    }

    /// The object of that very name, then what lies below it as a folder. Not one listing with the path as the prefix:
    /// beside `data/1` there may be a million objects under `data/10`. The name itself is the first that begins with it.
    private static func queries(_ path: String) -> [ListQuery] {
        if path.isEmpty { return [ListQuery(limit: .max)] }
        return [ListQuery(prefix: path, limit: 1), ListQuery(prefix: path + "/", limit: .max)]
    }
}
