import Console
import FeatureKit
import Foundation
import Hummingbird
import Identity
import Resource
import ServiceLifecycle
import Storage
import Web

/// The embedded object store over HTTP, and what a project must know to use it.
package struct ObjectStorageFeature: Feature {
    package static let defaultContainer = "easymaker"

    private let store: DiskStore
    private let storage: StorageService
    private let directory: Directory
    private let authority: ProjectAuthority
    private let service: @Sendable (Project) -> StorageIdentity
    private let publicURL: @Sendable () -> String

    package init(
        store: DiskStore, storage: StorageService, directory: Directory,
        service: @escaping @Sendable (Project) -> StorageIdentity,
        publicURL: @escaping @Sendable () -> String
    ) {
        self.store = store
        self.storage = storage
        self.directory = directory
        self.authority = ProjectAuthority(directory: directory)
        self.service = service
        self.publicURL = publicURL
    }

    package var services: [any Service] { [StoreSweep(store: store)] }

    package func addRootRoutes(to router: Router<TakumiContext>) {
        ObjectStorageAPI(store: store, authority: authority, publicURL: publicURL).addRoutes(to: router)
        // The vendor's SDK asks here when EM_TOKEN is set. The group is its notion of a work group: one per project here.
        router.get("token/v1.0/appkeys/{appKey}/groups/{group}/iaas-token") { _, context in
            try await issueToken(context)
        }
    }

    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) {
        group.get("storage") { _, context in
            let project = try await project(context)
            // A project made by another process since the start has no container yet.
            try await prepare(project)
            return try Envelope.one("storage", WireStorage(project, service: service(project), publicURL: publicURL()))
        }
    }

    package var menu: [MenuEntry] {
        [
            MenuEntry("storage", icon: "storage", path: "storage", rank: 70),
            MenuEntry("nas", icon: "nas", path: "nas", rank: 71),
        ]
    }

    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        let places = StoragePlaces(
            store: store, storage: storage, directory: directory, service: service, publicURL: publicURL)
        StoragePages(places: places, pages: pages).add(to: group)
        StorageFilePages(places: places, pages: pages).add(to: group)
        NASPages(places: places, pages: pages).add(to: group)
    }

    /// Gives a project a container that trainings can use at once: its access policy lets the service account in.
    package func prepare(_ project: Project) async throws {
        let path = ContainerPath(tenant: project.spec.tenantID, container: ObjectStorageFeature.defaultContainer)
        guard try await store.policy(path) == nil else { return }
        let grant = service(project).grant
        try await store.createContainer(path, ContainerChange(read: grant, write: grant))
    }

    private func project(_ context: TakumiContext) async throws -> Project {
        let appKey = try context.project
        guard let project = try await directory.project(appKey: appKey) else {
            throw TakumiError(.notFound, "no project has the app key '\(appKey.excerpt)'", field: "appKey")
        }
        return project
    }

    private func issueToken(_ context: TakumiContext) async throws -> Response {
        guard let principal = context.principal else { throw TakumiError(.unauthenticated, "no valid token") }
        let project = try await project(context)
        guard principal.mayWrite(project: project.metadata.name) else {
            throw TakumiError(.notFound, "no project has this app key", field: "appKey")
        }
        let issued = try await authority.issue(for: project, principal)
        return try Envelope.one("access", WireAccess(issued))
    }

    package var api: APIDescription {
        APIDescription([
            .init(
                "GET", "/storage", "Where the project's object storage is, and the service account", payload: "storage")
        ])
    }
}

private struct WireStorage: Encodable {
    struct Account: Encodable {
        var tenantId: String
        var apiUserId: String
        /// What goes into a container's access policy.
        var accessPolicy: String
    }

    var obsUri: String
    var tenantId: String
    var defaultContainer = ObjectStorageFeature.defaultContainer
    var serviceAccount: Account

    init(_ project: Project, service: StorageIdentity, publicURL: String) {
        obsUri = publicURL.replacing("https://", with: "obs://") + "/v1/AUTH_\(project.spec.tenantID)"
        tenantId = project.spec.tenantID
        serviceAccount = Account(tenantId: service.tenantID, apiUserId: service.userID, accessPolicy: service.grant)
    }
}

private struct WireAccess: Encodable {
    struct Token: Encodable {
        struct Tenant: Encodable {
            var id: String
            var name: String
        }
        var id: String
        /// As the vendor writes it, with milliseconds and the offset of Korea.
        var expires: String
        var tenant: Tenant
    }

    var token: Token

    init(_ issued: IssuedToken) {
        let korea = issued.expires.addingTimeInterval(9 * 3600)
        let text = WireJSON.time(korea).replacing("Z", with: ".000+0900")
        token = Token(id: issued.token, expires: text, tenant: .init(id: issued.tenantID, name: issued.tenantName))
    }
}
