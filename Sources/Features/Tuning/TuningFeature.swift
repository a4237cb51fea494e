import Catalog
import Console
import Control
import Engine
import FeatureKit
import Gateway
import Hummingbird
import JobKit
import Resource
import ServiceLifecycle
import Store
import Web

/// Hyperparameter tunings and their trials.
package struct TuningFeature: Feature {
    let store: Store
    private let samplers: Samplers
    private let studies: Studies
    private let reconciler: TuningReconciler
    let routes: ResourceRoutes<TuningType>
    private let trials: ResourceRoutes<TrialType>
    private let logs: JobLogs
    private let files: JobFiles

    package init(
        store: Store, checks: JobChecks, templates: JobTemplates, client: PortClient, sources: ClockAndIDs,
        home: String, region: String,
        apiURL: @escaping @Sendable () -> String, publicURL: @escaping @Sendable () -> String
    ) {
        self.store = store
        samplers = Samplers(engine: checks.engine, catalog: checks.catalog, client: client, home: home)
        studies = Studies(store: store, samplers: samplers)
        let reconciler = TuningReconciler(
            store: store, engine: checks.engine,
            environments: JobEnvironments(catalog: checks.catalog, home: home, region: region, apiURL: apiURL),
            samplers: samplers, files: TrialFiles(store: store, home: home), sources: sources)
        self.reconciler = reconciler
        routes = ResourceRoutes(
            TuningType(
                store: store, checks: checks, templates: templates, sources: sources, home: home, publicURL: publicURL,
                forget: { await reconciler.forget($0) }),
            store: store, sources: sources)
        trials = ResourceRoutes(TrialType(store: store, publicURL: publicURL), store: store, sources: sources)
        logs = JobLogs(store: store, home: home)
        files = JobFiles(home: home)
    }

    /// Below the home; nil for another kind's record.
    package static func tensorBoardFolder(_ record: Record) throws -> String? {
        guard record.key.kind == .tuning else { return nil }
        let tuning: Tuning = try record.decoded()
        return tuning.tensorBoardFolder
    }

    package var reconcilers: [any Reconciler] { [reconciler] }
    package var services: [any Service] { [samplers] }

    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) {
        routes.add(to: group)
        trials.add(to: group)
        group.group("hyperparameter-tunings/{id}")
            .put("stop") { _, context in
                try await routes.respond(try await routes.type.stop(try await routes.resource(context)))
            }
            .put("resume") { request, context in
                let body = try await request.json(TuningType.Resumption.self, context: context)
                return try await routes.respond(
                    try await routes.type.resume(try await routes.resource(context), body))
            }
            .get("importance") { _, context in
                try Envelope.one("importance", try await studies.importance(of: try await routes.resource(context)))
            }
        group.group("trials/{id}")
            .get("logs") { request, context in
                try logs.respond(
                    to: QueryItems(request), try await trials.type.job(of: try await trials.resource(context)))
            }
            .get("metrics") { _, context in
                try logs.metrics(of: try await trials.type.job(of: try await trials.resource(context)))
            }
            .get("reports") { _, context in
                try await logs.reports(of: try await trials.type.job(of: try await trials.resource(context)))
            }
    }

    package var menu: [MenuEntry] {
        [MenuEntry("hyperparameter-tunings", icon: "tuning", path: "hyperparameter-tunings", rank: 5)]
    }

    package var collections: [ResourceKind: String] {
        [.tuning: routes.type.names.collection, .trial: trials.type.names.collection]
    }

    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        let tunings = ResourcePages(routes, pages, store: store)
        let trials = ResourcePages(trials, pages, store: store)
        TuningTabs(tunings: tunings, trials: trials, studies: studies, store: store).add(to: group)
        TuningMonitoring(tunings: tunings, files: files, store: store).add(to: group)
        TuningResumePage(tunings: tunings).add(to: group)
        JobTabs(files: files, resourcePages: trials, store: store).add(to: group)
        tunings.add(to: group)
        trials.add(to: group)
    }

    /// The tunings of an experiment.
    package var relatedTabs: [RelatedTab] {
        [
            RelatedTab(.experiment, id: "hyperparameter-tunings", name: "hyperparameterTuning.title") { key, page in
                let pages = ResourcePages(routes, page.pages, store: store)
                let path = "\(page.base)/experiments/\(key.id)/tab/hyperparameter-tunings"
                let listing = try await pages.listing(referring: key, path: path, page)
                var model: [String: Any] = [
                    "listing": listing.model(page.t),
                    "live": "\(page.base)/live?kind=hyperparameterTuning&kind=experiment",
                ]
                if listing.total == 0, !listing.request.isFiltered {
                    model["isEmpty"] = ["icon": "tuning", "text": page.t("tuning.noneInExperiment")]
                }
                if page.mayWrite {
                    model["create"] =
                        Action(
                            page.t("hyperparameterTuning.new"),
                            href: "\(page.base)/hyperparameter-tunings/new?experimentId=\(key.id)"
                        ).model
                }
                return ("related", model)
            }
        ]
    }

    package var dashboard: (@Sendable (Page) async throws -> DashboardPart)? {
        { page in
            let counts = try await store.phaseCounts(of: .tuning, project: page.project ?? "")
            var part = DashboardPart()
            let address = "\(page.base)/hyperparameter-tunings"
            part.counts = [
                .init(
                    page.t("tuning.dashboardComplete"), counts[TuningPhase.complete.rawValue] ?? 0,
                    href: "\(address)?state=COMPLETE"),
                .init(
                    page.t("tuning.dashboardRunning"), counts[TuningPhase.running.rawValue] ?? 0,
                    href: "\(address)?state=RUNNING"),
            ]
            return part
        }
    }

    package var api: APIDescription {
        let fields: [APIDescription.Field] =
            [.init("hyperparameterTuningName", required: true), .init("description")] + APIDescription.jobFields
            + APIDescription.searchFields + [.init("tagList", "object[]")]
        return .resource(routes.type.names, create: fields, filters: [.init("experimentId")])
            + APIDescription([
                .init(
                    "PUT", "/hyperparameter-tunings/{id}/stop", "Stop a running tuning; finished trials stay",
                    payload: "hyperparameterTuning"),
                .init(
                    "PUT", "/hyperparameter-tunings/{id}/resume", "Raise the limits of one that has ended, and go on",
                    body: [
                        .init("maxTrialCount", "integer"), .init("maxFailedTrialCount", "integer"),
                        .init("maxDurationSeconds", "integer"),
                    ], payload: "hyperparameterTuning"),
                .init(
                    "GET", "/hyperparameter-tunings/{id}/importance", "How much each hyperparameter matters",
                    payload: "importance"),
                .init(
                    "GET", "/trials", "List trials, newest first",
                    query: [
                        .init("hyperparameterTuningId"), .init("trialIdList", "string[]"),
                        .init("trialNameList", "string[]"), .init("limit", "integer"), .init("offset", "integer"),
                    ], payload: "trialList"),
                .init("GET", "/trials/{id}", "Read one", payload: "trial"),
                .init(
                    "GET", "/trials/{id}/logs", "The output of a node, as text or followed as NDJSON",
                    query: [
                        .init("node", "integer"), .init("tail", "integer"), .init("offset", "integer"),
                        .init("follow", "boolean"),
                    ]),
                .init("GET", "/trials/{id}/metrics", "Resource samples by node", payload: "metrics"),
                .init("GET", "/trials/{id}/reports", "Every report of the tuning's metrics", payload: "reportList"),
            ])
    }
}
