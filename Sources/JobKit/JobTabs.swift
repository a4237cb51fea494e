import Console
import FeatureKit
import Foundation
import HTTPTypes
import Hummingbird
import Resource
import Storage
import Store
import Telemetry
import Web

/// The tabs of a job's details, and what their scripts ask for.
package struct JobTabs<Type: JobType>: Sendable {
    private let files: JobFiles
    private let resourcePages: ResourcePages<Type>
    private let store: Store

    package init(files: JobFiles, resourcePages: ResourcePages<Type>, store: Store) {
        (self.files, self.resourcePages, self.store) = (files, resourcePages, store)
    }

    private var pages: Pages { resourcePages.pages }

    package func add(to group: RouterGroup<TakumiContext>) {
        group.group(RouterPath("\(resourcePages.routes.type.names.collection)/{id}"))
            .get("log") { request, context in try await log(request, context) }
            .get("log/lines") { request, context in
                let (answers, query) = try await answers(request, context)
                return try await answers.lines(query)
            }
            .get("log/search") { request, context in
                let (answers, query) = try await answers(request, context)
                return try await answers.search(query)
            }
            .get("log/download") { request, context in try await download(request, context) }
            .get("metrics") { request, context in try await metrics(request, context) }
            .get("curves") { request, context in try await curves(request, context) }
            .get("monitoring") { request, context in try await monitoring(request, context) }
            .get("samples") { request, context in try await samples(request, context) }
            .get("hyperparameters") { request, context in try await hyperparameters(request, context) }
            .get("files") { request, context in try await filesTab(request, context) }
            .get("live") { request, context in try await live(request, context) }
    }

    private func load(_ request: Request, _ context: TakumiContext) async throws -> (Type.Object, Job, Page) {
        let resource = try await resourcePages.routes.resource(context)
        return (resource, try await resourcePages.routes.type.job(of: resource), try pages.page(request, context))
    }

    private func node(_ job: Job, _ query: QueryItems) throws -> Int {
        let node = try query.number("node") ?? 0
        try job.check(node: node)
        return node
    }

    private func base(_ job: Job, _ page: Page) -> String { resourcePages.routes.type.address(job.key.id, page) }

    /// The stream of a job's page, which also hears of its log and its samples.
    private func address(_ job: Job, _ page: Page) -> String { "\(base(job, page))/live" }

    // MARK: - Log

    private func log(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (resource, job, page) = try await load(request, context)
        let node = try node(job, page.query)
        let address = base(job, page)
        let nodes = (0..<job.nodes).map { index -> [String: Any] in
            ["name": page.t("training.node", ["node": "\(index)"]), "href": "?node=\(index)", "current": index == node]
        }
        var model: [String: Any] = [
            "log": "\(address)/log", "node": "\(node)", "ended": job.isSettled,
            "download": "\(address)/log/download?node=\(node)", "nodes": nodes, "hasNodes": nodes.count > 1,
            "nodesLabel": page.t("training.nodes"),
        ]
        model["label"] = page.t("training.logOf", ["name": resource.metadata.name])
        return try await resourcePages.respond(
            "training-log", resource, page, tab: "log", live: "\(self.address(job, page))?node=\(node)", model)
    }

    private func answers(_ request: Request, _ context: TakumiContext) async throws -> (LogAnswers, QueryItems) {
        let (_, job, page) = try await load(request, context)
        let index = files.index(job.workloadID, node: try node(job, page.query))
        return (LogAnswers(index, isEnded: job.isSettled), page.query)
    }

    private func download(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (resource, job, page) = try await load(request, context)
        let node = try node(job, page.query)
        var response = try JobLogs(store: store, home: files.home).respond(to: page.query, job)
        let name = "\(resource.metadata.name)-\(node).log"
        response.headers[.contentDisposition] = "attachment; filename*=UTF-8''\(name.pathEscaped)"
        return response
    }

    // MARK: - Metrics and monitoring

    private func metrics(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (resource, job, page) = try await load(request, context)
        let found = try await files.metrics(job)
        let model: [String: Any] = [
            "charts": "\(base(job, page))/curves",
            "metrics": found.map { name, series -> [String: Any] in
                [
                    "name": name, "latest": MetricText.number(series.latest),
                    "minimum": MetricText.number(series.minimum), "maximum": MetricText.number(series.maximum),
                    "count": page.t.number(series.count),
                ]
            }, "hasMetrics": !found.isEmpty,
        ]
        return try await resourcePages.respond(
            "training-metrics", resource, page, tab: "metrics", live: "\(address(job, page))?node=0", model)
    }

    private func curves(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (resource, job, _) = try await load(request, context)
        return try Chart.response(
            try await files.metrics(job).map { name, series in
                Chart(
                    "metric-\(name)", name, unit: "none", x: "step",
                    [.init(label: resource.metadata.name, points: series.curve.map { [Double($0.step), $0.value] })])
            })
    }

    private func monitoring(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (resource, job, page) = try await load(request, context)
        let address = base(job, page)
        // Nothing has run yet: there is nothing to watch (N-5's rule, for trainings).
        let model: [String: Any] = [
            "charts": "\(address)/samples", "hasRun": job.hasRun, "notYet": page.t("monitoring.notYet"),
        ]
        return try await resourcePages.respond(
            "training-monitoring", resource, page, tab: "monitoring", live: self.address(job, page), model)
    }

    private func samples(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (_, job, page) = try await load(request, context)
        let logs = (0..<job.nodes).map { files.samples(job.workloadID, node: $0) }
        let all = try await BlockingWork.run { logs.map { $0.read() } }
        let charts = SampleCharts(
            nodes: all, labels: (0..<job.nodes).map { page.t("training.node", ["node": "\($0)"]) }, t: page.t)
        return try Chart.response(charts.usage + charts.traffic + charts.gpus)
    }

    // MARK: - Hyperparameters and files

    private func hyperparameters(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (resource, job, page) = try await load(request, context)
        let model: [String: Any] = [
            "hasParameters": !job.hyperparameters.isEmpty,
            "parameters": job.hyperparameters.map { parameter -> [String: Any] in
                [
                    "name": parameter.name, "value": parameter.value,
                    "variable": "EM_HP_\(parameter.name.uppercased())",
                ]
            },
        ]
        return try await resourcePages.respond(
            "training-hyperparameters", resource, page, tab: "hyperparameters", model)
    }

    private func filesTab(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (resource, job, page) = try await load(request, context)
        let (t, spec) = (page.t, job.spec)
        var places: [(String, String)] = [
            (t("training.modelOutput"), spec.modelOutput), (t("training.source"), spec.source),
        ]
        if let uri = spec.checkpointOutput { places.insert((t("training.checkpointOutput"), uri), at: 1) }
        if let uri = spec.checkpointInput { places.append((t("training.checkpointInput"), uri)) }
        places += spec.datasets.map { (t("training.dataset", ["name": $0.name]), $0.uri) }
        let model: [String: Any] = [
            "places": places.map { name, uri -> [String: Any] in
                ["name": name, "cell": Cell.code(uri).model, "href": "\(page.base)/storage/at?uri=\(uri.pathEscaped)"]
            }
        ]
        return try await resourcePages.respond("training-files", resource, page, tab: "files", model)
    }

    // MARK: - Live

    private func live(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (_, job, page) = try await load(request, context)
        let node = try node(job, page.query)
        let poll: (@Sendable () async -> [LiveStream.Event]?)? =
            job.isSettled ? nil : news(of: job, node: node)
        return LiveStream(page, kinds: [job.key.kind], id: job.key.id, poll: poll).response()
    }

    /// What its log and its samples have gained since the last call; nil once it has ended and all of it was told.
    private func news(of job: Job, node: Int) -> @Sendable () async -> [LiveStream.Event]? {
        let seen = Seen()
        let (files, store) = (files, store)
        return {
            guard !seen.isOver else { return nil }
            // Asked before reading: whatever was written until the end is then in the last round.
            do { seen.isOver = try await store.record(job.key)?.settled ?? true } catch { return [] }
            return await files.news(job.workloadID, node: node, since: seen)
        }
    }
}
