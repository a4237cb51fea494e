import Console
import FeatureKit
import Foundation
import HTTPTypes
import Hummingbird
import JobKit
import Resource
import Storage
import Store
import Telemetry
import Web

/// The tabs of a stage's and of an endpoint's details, and what their scripts ask for (E-7).
struct StageTabs: Sendable {
    let endpoints: ResourcePages<EndpointType>
    let stages: ResourcePages<StageType>
    let resources: ResourcePages<StageResourceType>
    let files: JobFiles
    let traffic: any Traffic
    let sources: ClockAndIDs
    let store: Store

    func add(to group: RouterGroup<TakumiContext>) {
        group.get("endpoints/{id}/stages") { request, context in try await list(request, context) }
        group.group("endpoint-stages/{id}")
            .get("resources") { request, context in try await resources(request, context) }
            .get("monitoring") { request, context in try await monitoring(request, context) }
            .get("samples") { request, context in try await samples(request, context) }
            .get("statistics") { request, context in try await statistics(request, context) }
            .get("statistics/charts") { request, context in try await charts(request, context) }
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
            .get("requests") { request, context in try await requests(request, context) }
            .get("requests/lines") { request, context in
                let (index, query) = try await requestIndex(request, context)
                return try await LogAnswers(index, isEnded: false, shown: StageTabs.shown).lines(query)
            }
            .get("requests/search") { request, context in
                let (index, query) = try await requestIndex(request, context)
                return try await LogAnswers(index, isEnded: false).search(query)
            }
            .get("requests/download") { request, context in
                let (index, _) = try await requestIndex(request, context)
                return StageTabs.download(index.path, as: "requests.jsonl")
            }
            .get("live") { request, context in try await live(request, context) }
    }

    private func base(_ stage: Stage, _ page: Page) -> String { stages.routes.type.address(stage.id, page) }

    private func pods(_ stage: Stage) async throws -> [StagePod] {
        try await StagePod.all(of: stage, store: store, home: files.home)
    }

    /// Nothing runs yet: there is nothing to watch or to count.
    private func isBeingCreated(_ stage: Stage) -> Bool {
        stage.status.phase == .createRequested || stage.status.phase == .createInProgress
    }

    // MARK: - Lists

    private func list(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let endpoint = try await endpoints.routes.resource(context)
        let page = try endpoints.pages.page(request, context)
        let path = "\(endpoints.routes.type.address(endpoint.id, page))/stages"
        let listing = try await stages.listing(referring: endpoint.key, path: path, page)
        return try await endpoints.respond(
            "related", endpoint, page, tab: "stages", ["listing": listing.model(page.t)])
    }

    private func resources(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (stage, page) = try await stages.load(request, context)
        let listing = try await resources.listing(
            referring: stage.key, path: "\(base(stage, page))/resources", page)
        var model: [String: Any] = ["listing": listing.model(page.t)]
        if listing.total == 0, !listing.request.isFiltered {
            model["isEmpty"] = ["icon": "model", "text": page.t("serving.noResources")]
        }
        if page.mayWrite, stage.status.phase != .deleteInProgress {
            model["create"] =
                Action(
                    page.t("endpointModel.new"), href: "\(page.base)/endpoint-models/new?endpointStageId=\(stage.id)"
                ).model
        }
        return try await stages.respond("related", stage, page, tab: "resources", model)
    }

    // MARK: - Monitoring and statistics

    private func monitoring(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (stage, page) = try await stages.load(request, context)
        let address = base(stage, page)
        return try await stages.respond(
            "training-monitoring", stage, page, tab: "monitoring", live: "\(address)/live?of=samples",
            [
                "charts": "\(address)/samples", "hasRun": !isBeingCreated(stage),
                "notYet": page.t("serving.monitoringNotYet"),
            ])
    }

    private func samples(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (stage, page) = try await stages.load(request, context)
        let pods = try await pods(stage).filter(\.isThere)
        let logs = pods.map { files.samples($0.id, node: 0) }
        let read = try await BlockingWork.run { logs.map { $0.read() } }
        let shown = zip(pods, read).filter { !$1.isEmpty }
        guard !shown.isEmpty else { return try Chart.response([]) }
        let charts = SampleCharts(nodes: shown.map(\.1), labels: shown.map { $0.0.label(page.t) }, t: page.t)
        return try Chart.response(charts.usage + charts.gpus)
    }

    private func range(_ page: Page) throws -> Int {
        let asked = try page.query.number("minutes") ?? StatisticsCharts.ranges[0]
        return StatisticsCharts.ranges.contains(asked) ? asked : StatisticsCharts.ranges[0]
    }

    private func wire(_ stage: Stage, _ minutes: Int, _ now: Date) -> StatisticsWire {
        StatisticsWire(traffic.statistics(of: stage.id), minutes: minutes, points: StatisticsCharts.points, now: now)
    }

    private func statistics(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (stage, page) = try await stages.load(request, context)
        let (t, minutes, address) = (page.t, try range(page), base(stage, page))
        let total = wire(stage, minutes, sources.now()).total
        func latency(_ value: Double?) -> String {
            value.map { String(format: $0 < 1000 ? "%.3g ms" : "%.0f ms", $0) } ?? "–"
        }
        let totals = [
            ("statistics.calls", t.number(total.callCount)), ("statistics.success", t.number(total.successCount)),
            ("statistics.clientErrors", t.number(total.clientErrorCount)),
            ("statistics.serverErrors", t.number(total.serverErrorCount)),
            ("statistics.p50", latency(total.latencyMedianMilliseconds)),
            ("statistics.p95", latency(total.latency95Milliseconds)),
            ("statistics.p99", latency(total.latency99Milliseconds)),
        ]
        return try await stages.respond(
            "stage-statistics", stage, page, tab: "statistics", live: "\(address)/live?of=calls",
            [
                "isOpen": !isBeingCreated(stage), "charts": "\(address)/statistics/charts?minutes=\(minutes)",
                "totals": totals.map { ["label": t($0), "value": $1] },
                "ranges": StatisticsCharts.ranges.map { range -> [String: Any] in
                    ["name": t("statistics.range.\(range)"), "href": "?minutes=\(range)", "current": range == minutes]
                },
            ])
    }

    private func charts(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (stage, page) = try await stages.load(request, context)
        let (minutes, now) = (try range(page), sources.now())
        return try Chart.response(
            StatisticsCharts(wire: wire(stage, minutes, now), minutes: minutes, now: now, t: page.t).charts)
    }

    // MARK: - Log

    private func log(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (stage, page) = try await stages.load(request, context)
        let (pods, address) = (try await pods(stage), base(stage, page))
        let chosen = pods.first { $0.id == page.query["pod"] } ?? pods.first { $0.resourceID == page.query["resource"] }
        let pod = chosen ?? pods.first
        var model: [String: Any] = [
            "hasLog": pod != nil, "noLog": page.t("serving.noPods"), "hasNodes": pods.count > 1,
            "nodesLabel": page.t("serving.podList"),
            "nodes": pods.map { other -> [String: Any] in
                ["name": other.label(page.t), "href": "?pod=\(other.id)", "current": other.id == pod?.id]
            },
        ]
        if let pod {
            model["log"] = "\(address)/log"
            model["node"] = pod.id
            model["ended"] = !pod.isThere
            model["download"] = "\(address)/log/download?node=\(pod.id)"
            model["label"] = page.t("training.logOf", ["name": pod.label(page.t)])
        }
        return try await stages.respond(
            "stage-log", stage, page, tab: "log", live: "\(address)/live?of=log", model)
    }

    private func pod(_ stage: Stage, _ page: Page) async throws -> StagePod {
        let id = page.query["node"] ?? ""
        guard let pod = try await pods(stage).first(where: { $0.id == id }) else {
            throw TakumiError(.notFound, "'\(id.excerpt)' is not a pod of this stage")
        }
        return pod
    }

    private func answers(_ request: Request, _ context: TakumiContext) async throws -> (LogAnswers, QueryItems) {
        let (stage, page) = try await stages.load(request, context)
        let pod = try await pod(stage, page)
        return (LogAnswers(pod.index(files), isEnded: !pod.isThere), page.query)
    }

    private func download(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (stage, page) = try await stages.load(request, context)
        let pod = try await pod(stage, page)
        return JobLogs.text(
            LogReader(path: pod.index(files).path), from: 0, as: "\(pod.resource)-\(StagePod.name(pod.id)).log")
    }

    // MARK: - Requests

    /// The inference log: a file after the other, the newest first.
    private func requests(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (stage, page) = try await stages.load(request, context)
        let (t, address) = (page.t, base(stage, page))
        let paths = stage.inferenceLog(home: files.home).files
        let older = try await BlockingWork.run {
            paths.indices.dropFirst().filter { FileManager.default.fileExists(atPath: paths[$0]) }
        }
        let shown = try file(page, of: paths)
        let model: [String: Any] = [
            "hasLog": stage.spec.usesLog, "noLog": t("serving.requestsNotKept"), "hasNodes": !older.isEmpty,
            "nodesLabel": t("serving.tab.requests"),
            "nodes": ([0] + older).map { number -> [String: Any] in
                [
                    "name": t(
                        number == 0 ? "serving.requestsNewest" : "serving.requestsOlder", ["number": "\(number)"]),
                    "href": "?node=\(number)", "current": number == shown,
                ]
            },
            "log": "\(address)/requests", "node": "\(shown)", "ended": shown > 0,
            "download": "\(address)/requests/download?node=\(shown)",
            "label": t("training.logOf", ["name": t("serving.tab.requests")]),
        ]
        return try await stages.respond(
            "stage-log", stage, page, tab: "requests", live: "\(address)/live?of=requests", model)
    }

    /// Which of the files is asked for.
    private func file(_ page: Page, of paths: [String]) throws -> Int {
        let number = try page.query.number("node") ?? 0
        guard paths.indices.contains(number) else {
            throw TakumiError.invalid("node", "\(number) is not a file of the log; use 0 to \(paths.count - 1)")
        }
        return number
    }

    /// Of a record what people look for; all of it is in the download.
    @Sendable private static func shown(_ line: LogLine) -> LogLine {
        struct Record: Decodable {
            var time, logLevel, body, modelName, inferenceId: String
        }
        guard let record = try? JSONDecoder().decode(Record.self, from: Data(line.text.utf8)) else { return line }
        var shown = line
        shown.time = record.time
        shown.stream = record.logLevel == "ERROR" ? .stderr : .stdout
        shown.text = "\(record.logLevel) \(record.body)  \(record.modelName)  \(record.inferenceId)"
        return shown
    }

    /// Lines of JSON as they are, unlike those of a program's log.
    private static func download(_ path: String, as name: String) -> Response {
        let body = ResponseBody { writer in
            guard let file = FileHandle(forReadingAtPath: path) else { return try await writer.finish(nil) }
            while let part = try await BlockingWork.run({ try file.read(upToCount: 1 << 20) }), !part.isEmpty {
                try await writer.write(ByteBuffer(bytes: part))
            }
            try await writer.finish(nil)
        }
        let headers: HTTPFields = [
            .contentType: "application/x-ndjson", .contentDisposition: "attachment; filename=\"\(name)\"",
        ]
        return Response(status: .ok, headers: headers, body: body)
    }

    private func requestIndex(_ request: Request, _ context: TakumiContext) async throws -> (LogIndex, QueryItems) {
        let (stage, page) = try await stages.load(request, context)
        let paths = stage.inferenceLog(home: files.home).files
        return (files.index(path: paths[try file(page, of: paths)]), page.query)
    }

    // MARK: - Live

    /// Changes of the stage and of its parts, and what lies in no database: samples, calls, lines of a log.
    private func live(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (stage, page) = try await stages.load(request, context)
        let news = StageNews(stage: stage, files: files, traffic: traffic, store: store)
        let poll: (@Sendable () async -> [LiveStream.Event]?)? =
            switch page.query["of"] {
            case "samples": news.samples
            case "calls": news.calls
            case "log": news.logs
            case "requests": news.requests
            default: nil
            }
        return LiveStream(page, kinds: [.stage, .stageResource, .endpoint], poll: poll).response()
    }
}
