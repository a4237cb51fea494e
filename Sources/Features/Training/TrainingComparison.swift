import Console
import FeatureKit
import Foundation
import Hummingbird
import JobKit
import Resource
import Store
import Telemetry
import Web

/// Trainings side by side: settings, final metrics, curves on one chart.
struct TrainingComparison: Sendable {
    let files: JobFiles
    let type: TrainingType
    let pages: Pages
    let store: Store

    /// More columns than anybody can read.
    private static let most = 20

    func add(to group: RouterGroup<TakumiContext>) {
        group.get("trainings/compare") { request, context in try await table(try pages.page(request, context)) }
        group.get("trainings/compare/curves") { request, context in
            try await curves(try pages.page(request, context))
        }
    }

    /// In the order of the address.
    private func trainings(_ page: Page) async throws -> [Training] {
        let ids = page.query.all("id").flatMap { $0.split(separator: ",").map { $0.lowercased() } }
        guard ids.count <= TrainingComparison.most else {
            throw TakumiError.invalid("id", page.t("compare.tooMany", ["most": "\(TrainingComparison.most)"]))
        }
        var query = Query(.training, project: page.project)
        query.ids = ids
        guard !ids.isEmpty else { return [] }
        let found: [Training] = try await store.records(query).map { try $0.decoded() }
        return found.sorted { (ids.firstIndex(of: $0.id) ?? 0) < (ids.firstIndex(of: $1.id) ?? 0) }
    }

    private func table(_ page: Page) async throws -> Response {
        let trainings = try await trainings(page)
        let t = page.t
        var model: [String: Any] = [
            "heading": t("compare.title"), "crumb": true,
            "crumbs": [["name": t("training.title"), "href": "\(page.base)/trainings"]],
        ]
        guard trainings.count > 1 else {
            model["tooFew"] = true
            return try await page.respond("compare", model, title: t("compare.title"), section: "trainings")
        }
        let wires = try await type.wire(trainings, project: page.project ?? "")
        var metrics: [[(name: String, series: MetricSeries)]] = []
        for training in trainings { metrics.append(try await files.metrics(training.workloadID)) }
        model["columns"] = trainings.map { training -> [String: Any] in
            [
                "name": training.metadata.name, "href": type.address(training.id, page),
                "badge": Badge(training.status.phase, cause: training.status.cause).model,
            ]
        }
        model["sections"] = [
            section(t("compare.metrics"), metricRows(metrics), page),
            section(t("training.hyperparameters"), parameterRows(trainings), page),
            section(t("compare.settings"), settingRows(trainings, wires, page), page),
        ].compactMap(\.self)
        let ids = trainings.map(\.id).joined(separator: ",")
        model["charts"] = "\(page.base)/trainings/compare/curves?id=\(ids)"
        return try await page.respond(
            "compare", model, title: t("compare.title"), section: "trainings", live: "\(page.base)/live?kind=training")
    }

    private func section(_ title: String, _ rows: [(String, [String?])], _ page: Page) -> [String: Any]? {
        guard !rows.isEmpty else { return nil }
        return [
            "title": title, "span": "\((rows.first?.1.count ?? 0) + 1)",
            "rows": rows.map { name, values -> [String: Any] in
                let differs = Set(values.map { $0 ?? "" }).count > 1
                return [
                    "name": name, "differs": differs,
                    "values": values.map { value -> [String: Any] in ["text": value ?? "–"] },
                ]
            },
        ]
    }

    private func metricRows(_ metrics: [[(name: String, series: MetricSeries)]]) -> [(String, [String?])] {
        var names: [String] = []
        for name in metrics.joined().map(\.name) where !names.contains(name) { names.append(name) }
        return names.map { name in
            (
                name,
                metrics.map { found in
                    found.first { $0.name == name }.map { MetricText.number($0.series.latest) }
                }
            )
        }
    }

    private func parameterRows(_ trainings: [Training]) -> [(String, [String?])] {
        var names: [String] = []
        for name in trainings.flatMap(\.spec.hyperparameters).map(\.name) where !names.contains(name) {
            names.append(name)
        }
        return names.map { name in
            (name, trainings.map { $0.spec.hyperparameters.first { $0.name == name }?.value })
        }
    }

    private func settingRows(_ trainings: [Training], _ wires: [TrainingWire], _ page: Page) -> [(String, [String?])] {
        let t = page.t
        func row(_ key: String, _ value: (Training, TrainingWire) -> String?) -> (String, [String?]) {
            (t(key), zip(trainings, wires).map { value($0, $1) })
        }
        return [
            row("training.experiment") { $1.job.experiment?.experimentName },
            row("training.image") { $1.job.image?.imageName },
            row("training.instance") { $1.job.flavor?.name },
            row("training.nodes") { training, _ in "\(training.spec.job.nodes)" },
            row("training.processes") { training, _ in training.spec.job.processesPerNode.map { "\($0)" } },
            row("training.elapsed") { $1.own.startedDatetime == nil ? nil : Cell.duration($1.own.elapsedTimeSeconds) },
            row("training.source") { training, _ in training.spec.job.source },
            row("training.entryPoint") { training, _ in training.spec.job.entryPoint },
            row("training.datasets") { training, _ in
                training.spec.job.datasets.map { "\($0.name): \($0.uri)" }.joined(separator: ", ")
            },
        ]
    }

    private func curves(_ page: Page) async throws -> Response {
        let trainings = try await trainings(page)
        var names: [String] = []
        var series: [String: [Chart.Series]] = [:]
        for training in trainings {
            for (name, found) in try await files.metrics(training.workloadID) {
                if series[name] == nil { names.append(name) }
                series[name, default: []].append(
                    .init(label: training.metadata.name, points: found.curve.map { [Double($0.step), $0.value] }))
            }
        }
        return try Chart.response(
            names.map { Chart("metric-\($0)", $0, unit: "none", x: "step", series[$0] ?? []) })
    }
}
