import Catalog
import Console
import Control
import FeatureKit
import Hummingbird
import JobKit
import Resource
import Store
import Telemetry
import Web

/// Trainings: their routes, their logs, their reconciler.
package struct TrainingFeature: Feature {
    let store: Store
    private let reconciler: TrainingReconciler
    let routes: ResourceRoutes<TrainingType>
    private let logs: JobLogs
    private let files: JobFiles

    package init(
        store: Store, checks: JobChecks, templates: JobTemplates, sources: ClockAndIDs, home: String, region: String,
        apiURL: @escaping @Sendable () -> String, publicURL: @escaping @Sendable () -> String
    ) {
        self.store = store
        reconciler = TrainingReconciler(
            store: store, engine: checks.engine,
            environments: JobEnvironments(catalog: checks.catalog, home: home, region: region, apiURL: apiURL),
            sources: sources)
        routes = ResourceRoutes(
            TrainingType(
                store: store, checks: checks, templates: templates, sources: sources, home: home, publicURL: publicURL),
            store: store, sources: sources)
        logs = JobLogs(store: store, home: home)
        files = JobFiles(home: home)
    }

    /// Below the home; nil for another kind's record.
    package static func tensorBoardFolder(_ record: Record) throws -> String? {
        guard record.key.kind == .training else { return nil }
        let training: Training = try record.decoded()
        return training.tensorBoardFolder
    }

    package var reconcilers: [any Reconciler] { [reconciler] }

    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) {
        routes.add(to: group)
        group.group("trainings/{id}")
            .put("stop") { _, context in
                try await routes.respond(try await routes.type.stop(try await routes.resource(context)))
            }
            .get("logs") { request, context in
                try logs.respond(
                    to: QueryItems(request), routes.type.job(of: try await routes.resource(context)))
            }
            .get("metrics") { _, context in
                try logs.metrics(of: routes.type.job(of: try await routes.resource(context)))
            }
    }

    package var menu: [MenuEntry] { [MenuEntry("trainings", icon: "training", path: "trainings", rank: 4)] }
    package var collections: [ResourceKind: String] { [.training: routes.type.names.collection] }

    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        let resourcePages = ResourcePages(routes, pages, store: store)
        TrainingComparison(files: files, type: routes.type, pages: pages, store: store).add(to: group)
        JobTabs(files: files, resourcePages: resourcePages, store: store).add(to: group)
        resourcePages.add(to: group)
    }

    /// The trainings of an experiment.
    package var relatedTabs: [RelatedTab] {
        [
            RelatedTab(.experiment, id: "trainings", name: "training.title") { key, page in
                let resourcePages = ResourcePages(routes, page.pages, store: store)
                let path = "\(page.base)/experiments/\(key.id)/tab/trainings"
                let listing = try await resourcePages.listing(referring: key, path: path, page)
                var model: [String: Any] = [
                    "listing": listing.model(page.t), "live": "\(page.base)/live?kind=training&kind=experiment",
                ]
                if listing.total == 0, !listing.request.isFiltered {
                    model["isEmpty"] = ["icon": "training", "text": page.t("training.noneInExperiment")]
                }
                if page.mayWrite {
                    model["create"] =
                        Action(
                            page.t("training.new"), href: "\(page.base)/trainings/new?experimentId=\(key.id)"
                        ).model
                }
                return ("related", model)
            }
        ]
    }

    package var dashboard: (@Sendable (Page) async throws -> DashboardPart)? {
        { page in try await TrainingDashboard(store: store, files: files, routes: routes).part(page) }
    }

    package var api: APIDescription {
        let fields: [APIDescription.Field] =
            [.init("trainingName", required: true), .init("description")] + APIDescription.jobFields
            + [
                .init("hyperparameterList", "object[]"), .init("trainingTypeCode", note: "NORMAL"),
                .init("tagList", "object[]"),
            ]
        return .resource(routes.type.names, create: fields, filters: [.init("experimentId")])
            + APIDescription([
                .init("PUT", "/trainings/{id}/stop", "Stop a running training", payload: "training"),
                .init(
                    "GET", "/trainings/{id}/logs", "The output of a node, as text or followed as NDJSON",
                    query: [
                        .init("node", "integer"), .init("tail", "integer"), .init("offset", "integer"),
                        .init("follow", "boolean"),
                    ]),
                .init("GET", "/trainings/{id}/metrics", "Resource samples by node", payload: "metrics"),
            ])
    }
}
