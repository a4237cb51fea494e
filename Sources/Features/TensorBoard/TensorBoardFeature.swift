import Catalog
import Console
import Engine
import FeatureKit
import Foundation
import Gateway
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
    /// `https://host:port` of the listener for users' programs.
    private let appsURL: @Sendable () -> String
    /// Where a resource's logs lie, below the home; nil where this kind has none.
    private let folder: @Sendable (Record) throws -> String?

    package init(
        store: Store, engine: any Engine, catalog: Catalog, client: PortClient, home: String, idle: Duration,
        appsURL: @escaping @Sendable () -> String,
        folder: @escaping @Sendable (Record) throws -> String?
    ) {
        self.store = store
        self.appsURL = appsURL
        self.folder = folder
        boards = TensorBoards(engine: engine, catalog: catalog, client: client, settings: .init(home: home, idle: idle))
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

    package var apps: [any ProxiedApp] {
        [TensorBoardApp(store: store, boards: boards, kinds: TensorBoardFeature.kinds, folder: folder)]
    }
}

/// `/tensorboard/{project}/{collection}/{id}/…`.
private struct TensorBoardApp: ProxiedApp {
    let name = "tensorboard"
    let store: Store
    let boards: TensorBoards
    let kinds: [String: ResourceKind]
    let folder: @Sendable (Record) throws -> String?

    func open(_ request: AppRequest, path: [String], by principal: Principal) async throws -> AppOpening {
        guard path.count >= 3, principal.mayRead(project: path[0]), let kind = kinds[path[1]] else {
            throw TakumiError(.notFound, "there is no such page")
        }
        let project = path[0]
        let key = ResourceKey(kind, path[2])
        guard let record = try await store.record(key, project: project), let folder = try folder(record) else {
            throw Store.missing(key)
        }
        let base = "/tensorboard/\(project)/\(path[1])/\(key.id)/"
        // TensorBoard's own links are relative to the folder.
        if path.count == 3, !request.path.hasSuffix("/") { return .redirect(base) }
        let port = try await boards.port(for: key, project: project, folder: folder, path: base)
        return .pass(AppPass(port: port, mayStay: { await boards.holds(port, for: key) }))
    }
}
