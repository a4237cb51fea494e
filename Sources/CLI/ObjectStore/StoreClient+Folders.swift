#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension StoreClient {
    /// `{parent}/{name}` in the project's container. Where something of that name was uploaded earlier, its files are not
    /// to be mixed with these.
    func newFolder(_ name: String, in parent: String) async throws -> RemotePath {
        let all = RemotePath(tenant: info.tenant, container: info.defaultContainer, path: parent)
        let folder = all.appending(RunNames.folder(name))
        let old = try await list(folder, prefix: folder.folderPrefix, stopping: true)
        return old.isEmpty ? folder : all.appending("\(RunNames.folder(name))-\(Timestamp.compact(Date()))")
    }
}
