import Catalog
import Console
import Engine
import FeatureKit
import Foundation
import Gateway
import HTTPTypes
import Hummingbird
import Identity
import Resource
import ServiceLifecycle
import Store
import Web

/// TensorBoard of a training and of an experiment, behind the login, on the origin of users' programs: what a log makes
/// TensorBoard show must not act as a page of the console.
package struct TensorBoardFeature: Feature {
    private let store: Store
    private let boards: TensorBoards
    private let proxy: ReverseProxy
    /// `https://host:port` of the listener for users' programs.
    private let appsURL: @Sendable () -> String
    /// Where a resource's logs lie, below the home; nil where this kind has none.
    private let folder: @Sendable (Record) throws -> String?

    package init(
        store: Store, engine: any Engine, catalog: Catalog, proxy: ReverseProxy, home: String, idle: Duration,
        appsURL: @escaping @Sendable () -> String,
        folder: @escaping @Sendable (Record) throws -> String?
    ) {
        self.store = store
        self.proxy = proxy
        self.appsURL = appsURL
        self.folder = folder
        boards = TensorBoards(engine: engine, catalog: catalog, proxy: proxy, settings: .init(home: home, idle: idle))
    }

    /// The kinds that have one, by what their addresses begin with.
    private static let kinds = [
        "trainings": ResourceKind("training"), "experiments": ResourceKind("experiment"),
        "hyperparameter-tunings": ResourceKind("hyperparameterTuning"),
    ]

    package var services: [any Service] { [boards] }

    /// From the console's button to the other origin.
    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        for collection in TensorBoardFeature.kinds.keys {
            group.get("\(collection)/{id}/tensorboard") { request, context in
                let page = try pages.page(request, context)
                let path = "/tensorboard/\(try context.project)/\(collection)/\(try context.id)/"
                return try await page.redirect(toApp: path, at: appsURL())
            }
        }
    }

    package func addAppRoutes(to router: Router<TakumiContext>) {
        let group = router.group("tensorboard/{appKey}/{collection}/{id}")
        for method in [HTTPRequest.Method.get, .post] {
            group.on("", method: method) { request, context in try await open(request, context) }
            group.on("**", method: method) { request, context in try await open(request, context) }
        }
    }

    private func open(_ request: Request, _ context: TakumiContext) async throws -> Response {
        guard let principal = context.principal else {
            throw TakumiError(.unauthenticated, "log in first: open this page from the console")
        }
        let project = try context.project
        let collection = try context.parameters.require("collection")
        guard principal.mayRead(project: project), let kind = TensorBoardFeature.kinds[collection] else {
            throw TakumiError(.notFound, "there is no such page")
        }
        let key = ResourceKey(kind, try context.id)
        guard let record = try await store.record(key, project: project), let folder = try folder(record) else {
            throw Store.missing(key)
        }
        let path = "/tensorboard/\(project)/\(collection)/\(key.id)/"
        // TensorBoard's own links are relative to the folder.
        if request.uri.path + "/" == path {
            return Response(status: .movedPermanently, headers: [.location: path])
        }
        let port = try await boards.port(for: key, project: project, folder: folder, path: path)
        do {
            return try await proxy.forward(request, toPort: port)
        } catch {
            await boards.forget(key)
            throw error
        }
    }
}
