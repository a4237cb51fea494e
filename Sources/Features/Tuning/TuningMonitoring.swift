import Console
import FeatureKit
import Foundation
import Hummingbird
import JobKit
import Storage
import Store
import Web

/// The monitoring tab of a tuning: the instances of the trials that run or, where none does, of the last ones.
struct TuningMonitoring: Sendable {
    /// A node of a trial.
    private struct Instance {
        var trial: Trial
        var node: Int
        var name: String
    }

    let tunings: ResourcePages<TuningType>
    let files: JobFiles
    let store: Store

    func add(to group: RouterGroup<TakumiContext>) {
        group.group("hyperparameter-tunings/{id}")
            .get("monitoring") { request, context in try await tab(request, context) }
            .get("samples") { request, context in try await samples(request, context) }
            .get("live") { request, context in
                let (tuning, page) = try await tunings.load(request, context)
                return LiveStream(page, kinds: [.tuning], id: tuning.id, poll: news(of: tuning)).response()
            }
    }

    /// At most as many trials as run at a time.
    static func monitored(_ tuning: Tuning, store: Store) async throws -> [Trial] {
        var query = Query(.trial, project: nil)
        query.referring = tuning.key
        query.unsettledOnly = true
        let running: [Trial] = try await started(query, store)
        guard running.isEmpty else { return running.reversed() }
        query.unsettledOnly = false
        // Those that were ended before they began lie between them: at most as many again.
        query.limit = 2 * tuning.spec.parallelTrials
        return try await started(query, store).prefix(tuning.spec.parallelTrials).reversed()
    }

    private static func started(_ query: Query, _ store: Store) async throws -> [Trial] {
        let trials: [Trial] = try await store.records(query).map { try $0.decoded() }
        return trials.filter { $0.status.startedAt != nil }
    }

    private func instances(_ tuning: Tuning, _ page: Page) async throws -> [Instance] {
        let nodes = tuning.spec.job.nodes
        return try await TuningMonitoring.monitored(tuning, store: store).flatMap { trial in
            (0..<nodes).map { node in
                let suffix = nodes > 1 ? ", \(page.t("training.node", ["node": "\(node)"]))" : ""
                return Instance(trial: trial, node: node, name: trial.metadata.name + suffix)
            }
        }
    }

    private func tab(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (tuning, page) = try await tunings.load(request, context)
        let address = tunings.routes.type.address(tuning.id, page)
        let type =
            tunings.routes.type.catalog.flavor(id: tuning.spec.job.flavorID)
            .map { FlavorText.text(JobWire.Flavor($0)) } ?? tuning.spec.job.flavorID
        let instances = try await instances(tuning, page)
        return try await tunings.respond(
            "training-monitoring", tuning, page, tab: "monitoring", live: "\(address)/live",
            [
                "charts": "\(address)/samples", "hasRun": !instances.isEmpty,
                "notYet": page.t(tuning.status.phase.isBeingCreated ? "tuning.monitoringNotYet" : "monitoring.notYet"),
                "hasInstances": true,
                "instances": instances.map { instance -> [String: Any] in
                    ["name": instance.name, "type": type, "since": Cell.time(instance.trial.status.startedAt).model]
                },
            ])
    }

    private func samples(_ request: Request, _ context: TakumiContext) async throws -> Response {
        let (tuning, page) = try await tunings.load(request, context)
        let instances = try await instances(tuning, page)
        let logs = instances.map { files.samples($0.trial.workloadID, node: $0.node) }
        let read = try await BlockingWork.run { logs.map { $0.read() } }
        let charts = SampleCharts(nodes: read, labels: instances.map(\.name), t: page.t)
        return try Chart.response(charts.usage + charts.traffic + charts.gpus)
    }

    /// That there are new samples; nil once the tuning has ended.
    private func news(of tuning: Tuning) -> (@Sendable () async -> [LiveStream.Event]?)? {
        guard !tuning.status.phase.isSettled else { return nil }
        let (seen, files, store) = (Seen(), files, store)
        return {
            guard !seen.isOver else { return nil }
            // Asked before reading: whatever was written until the end is then in the last round.
            do {
                seen.isOver = try await store.record(tuning.key)?.settled ?? true
                let ids = try await TuningMonitoring.monitored(tuning, store: store).map(\.workloadID)
                let latest = try await BlockingWork.run {
                    ids.compactMap { files.lastSample($0, node: 0)?.time }.max() ?? 0
                }
                guard seen.sample != latest else { return [] }
                seen.sample = latest
                return [.init("samples")]
            } catch { return [] }
        }
    }
}
