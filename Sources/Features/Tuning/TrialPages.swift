import Console
import FeatureKit
import Foundation
import JobKit
import Resource
import Web

/// Trials in the console: rows of their tuning, and details with log, metrics and monitoring like a training's.
extension TrialType: JobType {
    var icon: String { "tuning" }
    var section: String { "hyperparameter-tunings" }

    func job(of trial: Trial) async throws -> Job {
        let tuning = try await tuning(of: trial)
        return Job(
            key: trial.key, workloadID: trial.workloadID, spec: trial.job(tuning),
            hyperparameters: trial.spec.parameters, hasRun: trial.status.startedAt != nil,
            isSettled: trial.status.phase.isSettled,
            metrics: .init(pattern: tuning.spec.metricPattern, names: tuning.spec.metrics))
    }

    func columns(_ t: Strings) -> [Column] {
        [
            // By number: as names, trial-10000 would come before trial-9999.
            Column(t("tuning.trial"), orders: (.oldest, .newest)),
            Column(t("list.state"), orders: (.phase, .phaseDescending)),
            Column(t("tuning.value"), isNumber: true),
            Column(t("training.hyperparameters")),
            Column(t("training.elapsed"), isNumber: true),
            Column(t("detail.created")),
        ]
    }

    func cells(_ trial: Trial, _ wire: TrialWire, _ page: Page) -> [Cell] {
        [
            .title(trial.metadata.name, href: address(trial.id, page)),
            .badge(Badge(trial.status.phase, cause: trial.status.cause)),
            trial.status.value.map { .number(MetricText.number($0)) } ?? .text(""),
            .text(trial.spec.parameters.map { "\($0.name) = \(TrialText.short($0.value))" }.joined(separator: ", ")),
            elapsed(trial), .time(trial.metadata.createdAt),
        ]
    }

    private func elapsed(_ trial: Trial) -> Cell {
        .elapsed(
            start: trial.status.startedAt,
            end: trial.status.phase.isSettled ? trial.status.endedAt ?? trial.metadata.updatedAt : nil)
    }

    func causeLink(_ trial: Trial, _ page: Page) -> Action? {
        trial.status.startedAt == nil
            ? nil : Action(page.t("training.openLog"), href: "\(address(trial.id, page))/log")
    }

    func crumbs(_ trial: Trial, _ page: Page) -> [[String: String]]? {
        let tunings = "\(page.base)/hyperparameter-tunings"
        return [
            ["name": page.t("hyperparameterTuning.title"), "href": tunings],
            ["name": page.t("tuning.tab.trials"), "href": "\(tunings)/\(trial.spec.tuningID)/trials"],
        ]
    }

    func cards(_ trial: Trial, _ wire: TrialWire, _ page: Page) async throws -> [FactCard] {
        let (t, status) = (page.t, trial.status)
        let tuning = try await tuning(of: trial)
        var run: [(name: String, value: Cell)] = [
            (
                t("tuning.of"),
                .link(tuning.metadata.name, href: "\(page.base)/hyperparameter-tunings/\(tuning.id)")
            ),
            (t("training.elapsed"), elapsed(trial)), (t("training.started"), .time(status.startedAt)),
            (t("training.ended"), .time(status.endedAt)),
        ]
        if let code = status.exitCode { run.append((t("training.exitCode"), .number("\(code)"))) }
        if let start = status.start { run.append((t("training.start"), .text(start))) }
        if let isolation = status.isolation { run.append((t("training.isolation"), .text(isolation))) }
        let job = trial.job(tuning)
        return [
            FactCard(
                t("tuning.value"),
                [(tuning.spec.objective.metric, .number(status.value.map(MetricText.number) ?? "–"))]
                    + status.metrics.filter { $0.count > 0 }.map {
                        (
                            t("tuning.reports", ["name": $0.name]),
                            .text(
                                t(
                                    "tuning.summary",
                                    ["min": $0.minimum ?? "–", "max": $0.maximum ?? "–", "latest": $0.latest]))
                        )
                    }),
            FactCard(t("training.run"), run),
            FactCard(
                t("training.hyperparameters"), trial.spec.parameters.map { ($0.name, .text($0.value)) }),
            FactCard(t("training.output"), [(t("training.modelOutput"), .code(job.modelOutput))], isWide: true),
        ]
    }

    func tabs(_ t: Strings) -> [Tab] {
        [
            Tab("log", t("training.tab.log")), Tab("metrics", t("training.tab.metrics")),
            Tab("monitoring", t("training.tab.monitoring")),
            Tab("hyperparameters", t("training.tab.hyperparameters")), Tab("files", t("training.tab.files")),
        ]
    }
}

enum TrialText {
    /// A number of the search has up to 17 digits, of which a row shows four.
    static func short(_ value: String) -> String {
        guard value.count > 8, let number = Double(value), Int(value) == nil else { return value }
        return String(format: "%.4g", number)
    }
}
