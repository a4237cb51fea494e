import Resource

extension DiskStore {
    /// - Parameter asStored: true shows a manifest itself, with its own size.
    /// - Returns: nil where there is no such object or container.
    package func object(_ path: ObjectPath, asStored: Bool = false) async throws -> ObjectInfo? {
        try path.check()
        return try await BlockingWork.run {
            guard let record = try record(of: path) else { return nil }
            return asStored ? record.info : try info(of: record, at: path)
        }
    }

    /// The objects of a container in byte order.
    ///
    /// - Throws: `.notFound` where the container does not exist.
    package func list(_ path: ContainerPath, _ query: ListQuery = ListQuery()) async throws -> [ListEntry] {
        try path.check()
        return try await BlockingWork.run { try entries(of: path, query) }
    }

    /// The names alone, which is all that a plain listing needs and costs no read per object.
    package func names(_ path: ContainerPath, _ query: ListQuery = ListQuery()) async throws -> [String] {
        try path.check()
        return try await BlockingWork.run {
            guard try Files.status(layout.container(path).record) != nil else { throw Self.noContainer(path) }
            return try NameWalk.entries(in: layout.container(path), cache: cache, query: query).map { entry in
                switch entry {
                case .folder(let name), .object(let name): name
                }
            }
        }
    }

    /// Replaces the object's metadata; its content, and what makes it a manifest, stay.
    ///
    /// - Throws: `.notFound`.
    package func updateObject(_ path: ObjectPath, contentType: String?, headers: [String: String]) async throws {
        try path.check()
        try await BlockingWork.run {
            try withLock(path.container) { container in
                guard var record = try record(of: path) else { throw Self.noObject(path) }
                record.headers = headers
                record.contentType = contentType ?? record.contentType
                record.timestamp = max(clock(), Timestamp(ticks: record.timestamp.ticks + 1))
                let entry = container.entry(for: path.name)
                try replaceRecord(
                    record, at: "\(entry.folder)/\(entry.file)", in: entry.folder, operation: "changing the object")
            }
        }
    }

    /// - Throws: `.notFound`.
    package func deleteObject(_ path: ObjectPath) async throws {
        try path.check()
        try await BlockingWork.run { try remove(path) }
    }

    func record(of path: ObjectPath) throws -> ObjectRecord? {
        try RecordFile.read(layout.container(path.container).recordPath(of: path.name), as: ObjectRecord.self)
    }

    func entries(of path: ContainerPath, _ query: ListQuery) throws -> [ListEntry] {
        let container = layout.container(path)
        guard try Files.status(container.record) != nil else { throw Self.noContainer(path) }
        return try NameWalk.entries(in: container, cache: cache, query: query).compactMap { entry in
            switch entry {
            case .folder(let name): return .folder(name)
            case .object(let name):
                // Deleted since the names were read.
                guard let record = try record(of: path.object(name)) else { return nil }
                return .object(record.info)
            }
        }
    }

    func remove(_ path: ObjectPath) throws {
        try withLock(path.container) { container in
            guard let record = try record(of: path) else { throw Self.noObject(path) }
            let entry = container.entry(for: path.name)
            try Files.remove("\(entry.folder)/\(entry.file)")
            if isDurable { try Files.syncFolder(entry.folder, operation: "deleting the object") }
            if let data = record.data { try Files.remove(container.data(data)) }
            // Folders of names last as long as they hold any. The lock keeps an upload from needing one just now.
            var folder = Substring(entry.folder)
            while folder.utf8.count > container.names.utf8.count, Files.removeEmptyFolder(String(folder)),
                let slash = folder.utf8.lastIndex(of: 0x2F)
            {
                folder = folder[..<slash]
            }
        }
    }
}
