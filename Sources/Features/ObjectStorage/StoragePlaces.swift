import Console
import Foundation
import Identity
import Resource
import Storage

/// What the console knows of a project's storage, and the addresses of its pages.
struct StoragePlaces: Sendable {
    let store: DiskStore
    let storage: StorageService
    let directory: Directory
    let service: @Sendable (Project) -> StorageIdentity
    let publicURL: @Sendable () -> String

    /// More would be a page that nobody reads.
    static let pageSize = 500

    func project(_ page: Page) async throws -> Project {
        guard let appKey = page.project, let project = try await directory.project(appKey: appKey) else {
            throw TakumiError(.notFound, "there is no such page")
        }
        return project
    }

    func container(_ name: String, _ page: Page) async throws -> ContainerPath {
        ContainerPath(tenant: try await project(page).spec.tenantID, container: name)
    }

    /// `obs://host/v1/AUTH_tenant`.
    func root(_ project: Project) -> String {
        publicURL().replacing("https://", with: "obs://") + "/v1/AUTH_\(project.spec.tenantID)"
    }

    // MARK: - Addresses

    static func address(_ page: Page) -> String { "\(page.base)/storage" }

    /// - Parameter prefix: empty, or a folder with a slash at its end.
    static func folder(_ container: String, _ prefix: String, _ page: Page) -> String {
        "\(address(page))/containers/\(container.pathEscaped)/\(escaped(prefix))"
    }

    static func file(_ container: String, _ name: String, _ page: Page) -> String {
        "\(address(page))/files/\(container.pathEscaped)/\(escaped(name))"
    }

    static func nas(_ id: String, _ path: String, _ page: Page) -> String {
        "\(page.base)/nas/\(id.pathEscaped)/\(escaped(path))"
    }

    private static func escaped(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { String($0).pathEscaped }
            .joined(separator: "/")
    }

    /// What follows a marker in the path of a request, decoded once: names may have slashes and percent signs.
    ///
    /// - Returns: the first part, and the rest as it is.
    static func split(_ path: String, after marker: String) throws -> (first: String, rest: String) {
        guard let range = path.range(of: marker) else { throw TakumiError(.notFound, "there is no such page") }
        let raw = path[range.upperBound...]
        let slash = raw.firstIndex(of: "/") ?? raw.endIndex
        let rest = slash == raw.endIndex ? "" : raw[raw.index(after: slash)...]
        guard let first = String(raw[..<slash]).removingPercentEncoding,
            let decoded = String(rest).removingPercentEncoding, !first.isEmpty
        else { throw TakumiError(.notFound, "there is no such page") }
        return (first, decoded)
    }

    /// The page of a URI's folder.
    func page(of uri: String, _ page: Page) async throws -> String {
        switch try StorageURI(uri, field: "uri") {
        case .object(_, let tenant, let container, let path):
            guard tenant == (try await project(page)).spec.tenantID else {
                throw TakumiError(.notFound, page.t("storage.elsewhere", ["uri": uri]))
            }
            return StoragePlaces.folder(container, path.isEmpty ? "" : path + "/", page)
        case .nas(let id, let path): return StoragePlaces.nas(id, path, page)
        case .s3, .file: throw TakumiError(.notFound, page.t("storage.elsewhere", ["uri": uri]))
        }
    }
}
