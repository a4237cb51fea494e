import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a request changes of a container. nil leaves as it is, an empty text removes.
package struct ContainerChange: Sendable {
    package var headers: [String: String]
    package var read: String?
    package var write: String?

    package init(headers: [String: String] = [:], read: String? = nil, write: String? = nil) {
        self.headers = headers
        self.read = read
        self.write = write
    }

    var isEmpty: Bool { headers.isEmpty && read == nil && write == nil }
}

extension DiskStore {
    /// Makes the container, or changes it where it is there.
    ///
    /// - Returns: true where it was made.
    /// - Throws: `.invalid` for a name or an access policy that is wrong.
    @discardableResult
    package func createContainer(_ path: ContainerPath, _ change: ContainerChange = ContainerChange()) async throws
        -> Bool
    {
        try path.check()
        let fresh = try Self.changed(ContainerRecord(timestamp: clock()), by: change)
        return try await BlockingWork.run {
            try makeAccount(path.tenant)
            if try Files.status(layout.container(path).record) == nil, try make(path, fresh) { return true }
            if !change.isEmpty { try update(path, change) }
            return false
        }
    }

    /// - Throws: `.notFound`; `.invalid` for an access policy that is wrong.
    package func updateContainer(_ path: ContainerPath, _ change: ContainerChange) async throws {
        try path.check()
        try await BlockingWork.run { try update(path, change) }
    }

    /// The container with its totals; nil where there is none.
    package func container(_ path: ContainerPath) async throws -> ContainerInfo? {
        try path.check()
        return try await BlockingWork.run { try containerInfo(path) }
    }

    /// The access policy alone, which costs one small read where the totals may cost many.
    package func policy(_ path: ContainerPath) async throws -> AccessPolicy? {
        try path.check()
        return try await BlockingWork.run {
            try containerRecord(path).map { try AccessPolicy(read: $0.read, write: $0.write) }
        }
    }

    /// - Throws: `.notFound`; `.conflict` where the container has objects.
    package func deleteContainer(_ path: ContainerPath) async throws {
        try path.check()
        try await BlockingWork.run {
            let grave = "\(layout.temporary)/\(TemporaryFile.freshName())"
            try withLock(path) { container in
                guard try NameWalk.entries(in: container, cache: cache, query: ListQuery(limit: 1)).isEmpty else {
                    throw TakumiError(.conflict, "container '\(path.container.excerpt)' still has objects")
                }
                try Files.move(container.folder, to: grave, operation: "deleting the container")
                if isDurable {
                    try Files.syncFolder(layout.containers(path.tenant), operation: "deleting the container")
                }
            }
            try Files.removeTree(grave)
        }
    }

    /// A container appears with its record, lock and folders in one rename.
    private func make(_ path: ContainerPath, _ record: ContainerRecord) throws -> Bool {
        let operation = "making the container"
        let draft = ContainerLayout(folder: "\(layout.temporary)/\(TemporaryFile.freshName())")
        for folder in [draft.folder, draft.names, "\(draft.folder)/data"] {
            try Files.makeFolder(folder, operation: operation)
        }
        let file = try OpenFile(draft.record, O_RDWR | O_CREAT, operation: operation)
        try RecordFile.write(record, to: file, durably: isDurable, operation: operation)
        _ = try OpenFile(draft.lock, O_RDWR | O_CREAT, operation: operation)
        if isDurable { try Files.syncFolder(draft.folder, operation: operation) }
        do {
            try Files.move(draft.folder, to: layout.container(path).folder, operation: operation)
        } catch {
            try Files.removeTree(draft.folder)
            if error.code == EEXIST || error.code == ENOTEMPTY { return false }
            throw error
        }
        if isDurable { try Files.syncFolder(layout.containers(path.tenant), operation: operation) }
        return true
    }

    private func update(_ path: ContainerPath, _ change: ContainerChange) throws {
        try withLock(path) { container in
            guard let record = try containerRecord(path) else { throw Self.noContainer(path) }
            let changed = try Self.changed(record, by: change)
            try replaceRecord(changed, at: container.record, in: container.folder, operation: "changing the container")
        }
    }

    private static func changed(_ record: ContainerRecord, by change: ContainerChange) throws -> ContainerRecord {
        var record = record
        record.headers.apply(change.headers)
        let policy = try AccessPolicy(read: change.read ?? record.read, write: change.write ?? record.write)
        record.read = policy.readHeader
        record.write = policy.writeHeader
        return record
    }

    func containerRecord(_ path: ContainerPath) throws -> ContainerRecord? {
        try RecordFile.read(layout.container(path).record, as: ContainerRecord.self)
    }

    func containerInfo(_ path: ContainerPath) throws -> ContainerInfo? {
        guard let record = try containerRecord(path) else { return nil }
        let totals = try totals(of: layout.container(path))
        return ContainerInfo(
            name: path.container, objectCount: totals.count, bytesUsed: totals.bytes, timestamp: record.timestamp,
            headers: record.headers, policy: try AccessPolicy(read: record.read, write: record.write))
    }

    private func totals(of container: ContainerLayout) throws -> NameFolder.Totals {
        var totals = NameFolder.Totals()
        for entry in try Files.entries(of: container.long, orEmptyIfMissing: true) {
            guard let name = entry.name else { continue }
            try totals.add("\(container.long)/\(name)")
        }
        var pending = [container.names]
        while let path = pending.popLast() {
            guard let folder = try cache.folder(path) else { continue }
            let own = try folder.totals {
                var own = NameFolder.Totals()
                for child in folder.children where child.isObject {
                    try own.add("\(path)/f\(String(decoding: child.key, as: UTF8.self))")
                }
                return own
            }
            totals.count += own.count
            totals.bytes += own.bytes
            for child in folder.children where !child.isObject {
                pending.append("\(path)/d\(String(decoding: child.key.dropLast(), as: UTF8.self))")
            }
        }
        return totals
    }
}

extension NameFolder.Totals {
    fileprivate mutating func add(_ record: String) throws {
        guard let record = try RecordFile.read(record, as: ObjectRecord.self) else { return }
        count += 1
        bytes += record.size
    }
}
