extension DiskStore {
    /// Contents younger than an hour stay: between becoming a data file and being named by a record lies an instant.
    private static let youth: Int64 = 3_600_000_000_000

    func sweepBlocking() throws -> Int {
        let now = clock().ticks * 10_000
        try TemporaryFile.removeAbandoned(in: layout.temporary, now: now)
        var removed = 0
        for tenant in try Files.entries(of: layout.accounts).compactMap(\.name) {
            for container in try containerNames(tenant) {
                removed += try sweep(layout.container(ContainerPath(tenant: tenant, container: container)), now: now)
            }
        }
        return removed
    }

    private func sweep(_ container: ContainerLayout, now: Int64) throws -> Int {
        // First the contents, then the names: a content that is named later is not in this list.
        var contents: Set<String> = []
        for folder in try Files.entries(of: "\(container.folder)/data", orEmptyIfMissing: true).compactMap(\.name) {
            contents.formUnion(
                try Files.entries(of: "\(container.folder)/data/\(folder)", orEmptyIfMissing: true).compactMap(\.name))
        }
        if contents.isEmpty { return 0 }
        for entry in try NameWalk.entries(in: container, cache: cache, query: ListQuery(limit: .max)) {
            guard case .object(let name) = entry,
                let record = try RecordFile.read(container.recordPath(of: name), as: ObjectRecord.self),
                let data = record.data
            else { continue }
            contents.remove(data)
        }
        var removed = 0
        for id in contents {
            guard let status = try Files.status(container.data(id)), now - status.changed > Self.youth else { continue }
            if try Files.remove(container.data(id)) { removed += 1 }
        }
        return removed
    }
}
