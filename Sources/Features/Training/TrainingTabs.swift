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

/// The tabs of a training's details, and what their scripts ask for.
struct TrainingTabs: Sendable {
    let files: TrainingFiles
    let resourcePages: ResourcePages<TrainingType>
    let store: Store

    private var pages: Pages { resourcePages.pages }

    func add(to group: RouterGroup<TakumiContext>) {
        group.group("trainings/{id}")
            .get("log") { request, context in try await log(request, context) }
            .get("log/lines") { request, context in try await lines(request, context) }
            .get("log/search") { request, context in try await search(request, context) }
            .get("log/download") { request, context in try await download(request, context) }
            .get("metrics") { request, context in try await metrics(request, context) }
            .get("curves") { request, context in try await curves(request, context) }
            .get("monitoring") { request, context in try await monitoring(request, context) }
            .get("samples") { request, context in try await samples(request, context) }
            .get("hyperparameters") { request, context in try await hyperparameters(request, context) }
            .get("files") { request, context in try await filesTab(request, context) }
            .get("live") { request, context in try await live(request, context) }
    }

    private func load(_ request: Request, _ context: TakumiContext) async throws -> (Training, Page) {
        (try await resourcePages.routes.resource(context), try pages.page(request, context))
    }

    private func node(_ training: Training, _ query: QueryItems) throws -> Int {
        let node = try query.number("node") ?? 0
        guard node < training.spec.nodes else {
            throw TakumiError.invalid(
                "node", "\(node) does not exist; this training has nodes 0 to \(training.spec.nodes - 1)")
        }
        return node
    }

    /// The stream of a training's page, which also hears of its log and its samples.
    private func address(_ training: Training, _ page: Page) -> String {
        "\(resourcePages.routes.type.address(training.id, page))/live"
    }

    // MARK: - Log

    private func log(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, page) = try await load(request, context)
        let node = try node(training, page.query)
        let address = resourcePages.routes.type.address(training.id, page)
        let nodes = (0..<training.spec.nodes).map { index -> [String: Any] in
            ["name": page.t("training.node", ["node": "\(index)"]), "href": "?node=\(index)", "current": index == node]
        }
        var model: [String: Any] = [
            "log": "\(address)/log", "node": "\(node)", "ended": training.status.phase.isSettled,
            "download": "\(address)/log/download?node=\(node)", "nodes": nodes, "hasNodes": nodes.count > 1,
        ]
        model["label"] = page.t("training.logOf", ["name": training.metadata.name])
        return try await resourcePages.respond(
            "training-log", training, page, tab: "log", live: "\(self.address(training, page))?node=\(node)", model)
    }

    private struct Lines: Encodable {
        struct Line: Encodable {
            var time: String
            var stream: String
            var text: String
        }
        var lineCount: Int
        var from: Int
        var lines: [Line]
        var ended: Bool
    }

    private func lines(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, page) = try await load(request, context)
        let index = files.index(training, node: try node(training, page.query))
        let count = min(try page.query.number("count") ?? 1000, 1000)
        let last = try page.query.number("last").map { min($0, 1000) }
        let from = try page.query.number("from") ?? 0
        let answer = try await BlockingWork.run {
            let total = index.update()
            let first = last.map { max(0, total - $0) } ?? from
            let lines = index.lines(from: first, count: last ?? count)
            return Lines(
                lineCount: total, from: first,
                lines: lines.map { .init(time: $0.time, stream: $0.stream.name, text: $0.text) },
                ended: training.status.phase.isSettled)
        }
        return try PageJSON.response(answer)
    }

    private struct Hits: Encodable {
        var total: Int
        var matches: [Int]
        var lineCount: Int
    }

    private func search(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, page) = try await load(request, context)
        let index = files.index(training, node: try node(training, page.query))
        let text = page.query["q"] ?? ""
        return try PageJSON.response(
            try await BlockingWork.run {
                let (total, matches) = index.search(text, limit: 10_000)
                return Hits(total: total, matches: matches, lineCount: index.update())
            })
    }

    private func download(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, page) = try await load(request, context)
        let node = try node(training, page.query)
        var response = try TrainingLogs(store: store, home: files.home).respond(to: page.query, training)
        let name = "\(training.metadata.name)-\(node).log"
        response.headers[.contentDisposition] = "attachment; filename*=UTF-8''\(name.pathEscaped)"
        return response
    }

    // MARK: - Metrics and monitoring

    private func metrics(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, page) = try await load(request, context)
        let found = try await files.metrics(training)
        let model: [String: Any] = [
            "charts": "\(resourcePages.routes.type.address(training.id, page))/curves",
            "metrics": found.map { name, series -> [String: Any] in
                [
                    "name": name, "latest": TrainingTabs.number(series.latest),
                    "minimum": TrainingTabs.number(series.minimum), "maximum": TrainingTabs.number(series.maximum),
                    "count": page.t.number(series.count),
                ]
            }, "hasMetrics": !found.isEmpty,
        ]
        return try await resourcePages.respond(
            "training-metrics", training, page, tab: "metrics", live: "\(address(training, page))?node=0", model)
    }

    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e9 ? String(format: "%.0f", value) : String(format: "%.5g", value)
    }

    private func curves(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, _) = try await load(request, context)
        return try Chart.response(
            try await files.metrics(training).map { name, series in
                Chart(
                    "metric-\(name)", name, unit: "none", x: "step",
                    [.init(label: training.metadata.name, points: series.curve.map { [Double($0.step), $0.value] })])
            })
    }

    private func monitoring(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, page) = try await load(request, context)
        let address = resourcePages.routes.type.address(training.id, page)
        // Nothing has run yet: there is nothing to watch (N-5's rule, for trainings).
        let model: [String: Any] = ["charts": "\(address)/samples", "hasRun": training.status.startedAt != nil]
        return try await resourcePages.respond(
            "training-monitoring", training, page, tab: "monitoring", live: self.address(training, page), model)
    }

    private func samples(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, page) = try await load(request, context)
        let logs = (0..<training.spec.nodes).map { files.samples(training, node: $0) }
        let all = try await BlockingWork.run { logs.map { $0.read() } }
        return try Chart.response(SampleCharts(nodes: all, t: page.t).charts)
    }

    // MARK: - Hyperparameters and files

    private func hyperparameters(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, page) = try await load(request, context)
        let model: [String: Any] = [
            "hasParameters": !training.spec.hyperparameters.isEmpty,
            "parameters": training.spec.hyperparameters.map { parameter -> [String: Any] in
                [
                    "name": parameter.name, "value": parameter.value,
                    "variable": "EM_HP_\(parameter.name.uppercased())",
                ]
            },
        ]
        return try await resourcePages.respond(
            "training-hyperparameters", training, page, tab: "hyperparameters", model)
    }

    private func filesTab(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, page) = try await load(request, context)
        let (t, spec) = (page.t, training.spec)
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
        return try await resourcePages.respond("training-files", training, page, tab: "files", model)
    }

    // MARK: - Live

    private func live(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (training, page) = try await load(request, context)
        let node = try node(training, page.query)
        let poll: (@Sendable () async -> [LiveStream.Event]?)? =
            training.status.phase.isSettled ? nil : news(of: training, node: node)
        return LiveStream(page, kinds: [.training], id: training.id, poll: poll).response()
    }

    /// What its log and its samples have gained since the last call; nil once it has ended and all of it was told.
    private func news(of training: Training, node: Int) -> @Sendable () async -> [LiveStream.Event]? {
        let index = files.index(training, node: node)
        let seen = Seen()
        let (files, store) = (files, store)
        return {
            guard !seen.isOver else { return nil }
            // Asked before reading: whatever was written until the end is then in the last round.
            do { seen.isOver = try await store.record(training.key)?.settled ?? true } catch { return [] }
            var events: [LiveStream.Event] = []
            let files = files
            let news = try? await BlockingWork.run {
                (lines: index.update(), sample: files.lastSample(training, node: 0)?.time ?? 0)
            }
            guard let (lines, sample) = news else { return [] }
            if seen.lines != lines {
                seen.lines = lines
                events.append(.init("log", "{\"node\":\(node),\"lineCount\":\(lines)}"))
            }
            if seen.sample != sample {
                seen.sample = sample
                events.append(.init("samples"))
            }
            return events
        }
    }
}
