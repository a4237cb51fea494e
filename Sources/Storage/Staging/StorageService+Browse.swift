import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One name in a folder that a person looks at.
package struct BrowsedEntry: Sendable, Equatable {
    package var name: String
    package var isFolder: Bool
    /// Bytes; 0 for folders.
    package var size: Int64
    /// Seconds since 1970.
    package var modified: Double
}

/// A NAS as its users see it.
package struct NASInfo: Sendable, Equatable {
    package var id: String
    /// Why it cannot be used; nil where it can.
    package var problem: String?
    /// Bytes of the file system that it lies on.
    package var size: Int64
    package var free: Int64
}

extension StorageService {
    /// The NAS that a project may use, by id.
    package func nas(project: String) async throws -> [NASInfo] {
        let known = configuration.nas.filter { $0.value.projects?.contains(project) ?? true }
        return try await BlockingWork.run {
            known.sorted { $0.key < $1.key }.map { id, nas in
                var status = statvfs()
                guard (try? Files.status(nas.path))??.kind == .folder, statvfs(nas.path, &status) == 0 else {
                    return NASInfo(
                        id: id, problem: "its directory is not mounted on the server; ask its administrator", size: 0,
                        free: 0)
                }
                let block = Int64(status.f_frsize)
                return NASInfo(
                    id: id, size: Int64(status.f_blocks) * block, free: Int64(status.f_bavail) * block)
            }
        }
    }

    /// What lies in a folder of a NAS: folders first, each kind by name.
    ///
    /// - Throws: `.notFound` for a NAS or folder that is not there, or not this project's; `.forbidden` for a path that
    ///   leads out of it.
    package func entries(ofNAS id: String, path: String, project: String) async throws -> [BrowsedEntry] {
        guard let nas = configuration.nas[id], nas.projects?.contains(project) ?? true else {
            throw TakumiError(.notFound, "there is no NAS '\(id.excerpt)' in this project")
        }
        return try await BlockingWork.run {
            guard let folder = try Confinement.existing(path, in: nas.path),
                try Files.status(folder)?.kind == .folder
            else { throw TakumiError(.notFound, "there is no folder '\(path.excerpt)' in NAS '\(id.excerpt)'") }
            return try Files.entries(of: folder).compactMap { entry -> BrowsedEntry? in
                // A link may lead out of the NAS, and trainings do not follow it either.
                guard let name = entry.name, let status = try Files.status("\(folder)/\(name)", followingLinks: false),
                    status.kind == .file || status.kind == .folder
                else { return nil }
                let isFolder = status.kind == .folder
                return BrowsedEntry(
                    name: name, isFolder: isFolder, size: isFolder ? 0 : status.size,
                    modified: Double(status.modified) / 1e9)
            }.sorted { ($0.isFolder ? 0 : 1, $0.name) < ($1.isFolder ? 0 : 1, $1.name) }
        }
    }
}
