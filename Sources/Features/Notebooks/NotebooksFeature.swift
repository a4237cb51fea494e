import Catalog
import Console
import Control
import Engine
import FeatureKit
import Foundation
import Gateway
import Hummingbird
import JobKit
import Resource
import ServiceLifecycle
import Store
import Telemetry
import Web

/// JupyterLab on a machine of its own, as far as its users can tell, with storage that stays.
package struct NotebooksFeature: Feature {
    /// What `App` hands in.
    package struct Surroundings: Sendable {
        package var home: String
        package var region: String
        package var apiURL: @Sendable () -> String
        /// Of the origin of users' programs.
        package var appsURL: @Sendable () -> String
        /// Gets a path of a program on a port of this machine.
        package var get:
            @Sendable (_ port: Int, _ path: String, _ token: String) async throws -> (status: Int, body: Data)
        /// The directory of this machine that a `nas://` URI names.
        /// - Throws: `TakumiError` without a field where it names none.
        package var directory: @Sendable (_ uri: String, _ project: String) async throws -> String
        /// Makes a notebook's token for the API, with the rights of a user, in place of the one before.
        package var issueToken:
            @Sendable (_ notebook: String, _ project: String, _ owner: String?) async throws -> String
        package var revokeTokens: @Sendable (_ notebook: String) async throws -> Void
        package var wake: @Sendable (ResourceKey) -> Void

        package init(
            home: String, region: String, apiURL: @escaping @Sendable () -> String,
            appsURL: @escaping @Sendable () -> String,
            get: @escaping @Sendable (Int, String, String) async throws -> (status: Int, body: Data),
            directory: @escaping @Sendable (String, String) async throws -> String,
            issueToken: @escaping @Sendable (String, String, String?) async throws -> String,
            revokeTokens: @escaping @Sendable (String) async throws -> Void,
            wake: @escaping @Sendable (ResourceKey) -> Void
        ) {
            self.home = home
            self.region = region
            self.apiURL = apiURL
            self.appsURL = appsURL
            self.get = get
            self.directory = directory
            self.issueToken = issueToken
            self.revokeTokens = revokeTokens
            self.wake = wake
        }
    }

    let store: Store
    let sources: ClockAndIDs
    let routes: ResourceRoutes<NotebookType>
    let actions: NotebookActions
    let files: JobFiles
    private let surroundings: Surroundings
    var appsURL: @Sendable () -> String { surroundings.appsURL }
    private let engine: any Engine
    private let reconciler: NotebookReconciler

    package init(
        store: Store, checks: JobChecks, platform: PlatformVersion, sources: ClockAndIDs, surroundings: Surroundings
    ) {
        self.store = store
        self.sources = sources
        self.surroundings = surroundings
        engine = checks.engine
        actions = NotebookActions(store: store, checks: checks)
        files = JobFiles(home: surroundings.home)
        routes = ResourceRoutes(
            NotebookType(
                store: store, checks: checks, sources: sources, home: surroundings.home,
                directory: surroundings.directory,
                appsURL: surroundings.appsURL, platform: platform),
            store: store, sources: sources)
        let (issue, get) = (surroundings.issueToken, surroundings.get)
        reconciler = NotebookReconciler(
            store: store, engine: checks.engine,
            maker: NotebookMaker(
                catalog: checks.catalog, home: surroundings.home, region: surroundings.region,
                apiURL: surroundings.apiURL,
                issueToken: { try await issue($0.id, $0.metadata.project, $0.status.owner) }),
            probes: JupyterProbes(get: get),
            sources: sources, platform: platform.version, revokeTokens: surroundings.revokeTokens)
    }

    package var reconcilers: [any Reconciler] { [reconciler] }
    package var services: [any Service] { [NotebookSweep(store: store, wake: surroundings.wake)] }
    package var apps: [any ProxiedApp] { [NotebookApp(store: store, engine: engine, home: surroundings.home)] }

    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) {
        routes.add(to: group)
        group.group("notebooks/{id}")
            .put("stop") { _, context in
                try await routes.respond(try await actions.stop(try await routes.resource(context)))
            }
            .put("start") { _, context in
                try await routes.respond(
                    try await actions.start(try await routes.resource(context), by: context.principal))
            }
            .put("reboot") { _, context in
                try await routes.respond(
                    try await actions.reboot(try await routes.resource(context), by: context.principal))
            }
            .put("flavor") { request, context in
                let notebook = try await routes.resource(context)
                let body = try await request.json(NotebookActions.Resize.self, context: context)
                return try await routes.respond(try await actions.resize(notebook, body))
            }
            .put("idle-stop") { request, context in
                let notebook = try await routes.resource(context)
                let body = try await request.json(NotebookIdleStop.self, context: context)
                return try await routes.respond(try await actions.setIdleStop(notebook, body))
            }
            .get("logs") { request, context in
                let notebook = try await routes.resource(context)
                let log = LogReader(
                    path: WorkloadFolder(home: surroundings.home, id: notebook.workloadID).task(0).log)
                let tail = min(try QueryItems(request).number("tail") ?? 1000, 10_000)
                return JobLogs.text(log, from: log.offset(ofLast: tail))
            }
    }

    package var menu: [MenuEntry] { [MenuEntry("notebooks", icon: "notebook", path: "notebooks", rank: 2)] }
    package var collections: [ResourceKind: String] { [.notebook: routes.type.names.collection] }

    package var api: APIDescription {
        .resource(
            routes.type.names,
            create: [
                .init("notebookName", required: true), .init("description"), .init("imageId", required: true),
                .init("flavorId", required: true), .init("bootStorageSize", "integer", note: "GB, new at every start"),
                .init("dataStorageSize", "integer", required: true, note: "GB, kept; cannot be changed later"),
                .init("nasList", "object[]", note: "mountDirName, nasPath"),
                .init("idleStopMinutes", "integer"), .init("idleStopIgnoresConnections", "boolean"),
                .init("tagList", "object[]"),
            ])
            + APIDescription([
                .init("PUT", "/notebooks/{id}/stop", "Stop a notebook", payload: "notebook"),
                .init("PUT", "/notebooks/{id}/start", "Start a stopped notebook", payload: "notebook"),
                .init("PUT", "/notebooks/{id}/reboot", "Stop and start a notebook", payload: "notebook"),
                .init(
                    "PUT", "/notebooks/{id}/flavor", "Change the instance type of a stopped notebook",
                    body: [.init("flavorId", required: true)], payload: "notebook"),
                .init(
                    "PUT", "/notebooks/{id}/idle-stop", "Set after how long without use it stops",
                    body: [
                        .init("idleStopMinutes", "integer", required: true, note: "null for never"),
                        .init("idleStopIgnoresConnections", "boolean"),
                    ],
                    payload: "notebook"),
                .init(
                    "GET", "/notebooks/{id}/logs", "What JupyterLab has printed",
                    query: [.init("tail", "integer")]),
            ])
    }
}

/// Looks at every notebook once at the start: one that was active may have lost its workload meanwhile, of which no engine
/// tells.
private struct NotebookSweep: Service {
    let store: Store
    let wake: @Sendable (ResourceKey) -> Void

    func run() async throws {
        for record in try await store.records(Query(.notebook, project: nil)) { wake(record.key) }
        try? await gracefulShutdown()
    }
}
