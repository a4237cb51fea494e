import Catalog
import Console
import FeatureKit
import Foundation
import JobKit
import Resource
import Storage
import Store
import Telemetry

/// What trainings have to say on the dashboard: how many, what the running ones use, what happened last.
struct TrainingDashboard: Sendable {
    let store: Store
    let files: JobFiles
    let routes: ResourceRoutes<TrainingType>

    func part(_ page: Page) async throws -> DashboardPart {
        let t = page.t
        let address = "\(page.base)/trainings"
        let counts = try await store.phaseCounts(of: .training, project: page.project ?? "")
        func count(_ phases: [TrainingPhase]) -> Int { phases.reduce(0) { $0 + (counts[$1.rawValue] ?? 0) } }
        var part = DashboardPart()
        part.counts = [
            .init(t("dashboard.complete"), count([.complete]), href: "\(address)?state=COMPLETE"),
            .init(t("dashboard.running"), count([.running]), href: "\(address)?state=RUNNING"),
            .init(
                t("dashboard.waiting"), count([.createRequested, .createInProgress]),
                href: "\(address)?state=CREATE_IN_PROGRESS"),
            .init(t("dashboard.failed"), count([.fail, .createFailed]), href: "\(address)?state=FAIL_TRAIN"),
        ]
        part.usages = try await usages(page)
        var query = Query(.training, project: page.project)
        query.limit = 6
        let resources: [Training] = try await store.records(query).map { try $0.decoded() }
        part.recent = resources.map { training in
            ListRow(
                id: training.id, name: training.metadata.name, href: "\(address)/\(training.id)",
                cells: [
                    .badge(Badge(training.status.phase, cause: training.status.cause)),
                    .time(training.metadata.createdAt),
                    .text(training.status.phase.isFailure ? training.status.cause ?? "" : ""),
                ])
        }
        if page.mayWrite {
            part.actions = [Action(t("training.new"), href: "\(address)/new", look: .primary, icon: "plus")]
        }
        part.recentTitle = t("dashboard.recentTrainings")
        part.recentHref = address
        return part
    }

    /// Of what its nodes were given, the share that a running training uses (D-3).
    private func usages(_ page: Page) async throws -> [DashboardPart.Usage] {
        var query = Query(.training, project: page.project)
        query.unsettledOnly = true
        query.phases = [TrainingPhase.running.rawValue]
        query.limit = 100
        let running: [Training] = try await store.records(query).map { try $0.decoded() }
        let (files, catalog) = (files, routes.type.catalog)
        return try await BlockingWork.run {
            running.compactMap { training in
                guard let flavor = catalog.flavor(id: training.spec.job.flavorID) else { return nil }
                let samples = (0..<training.spec.job.nodes).compactMap {
                    files.lastSample(training.workloadID, node: $0)
                }
                return usage(training, flavor, samples, page)
            }
        }
    }

    private func usage(_ training: Training, _ flavor: Flavor, _ samples: [Sample], _ page: Page)
        -> DashboardPart.Usage?
    {
        guard !samples.isEmpty else { return nil }
        let nodes = Double(training.spec.job.nodes)
        let (percent, detail): (Double, String)
        if flavor.gpus > 0 {
            let used = samples.flatMap(\.gpus).reduce(0) { $0 + $1.utilization }
            percent = used / (nodes * Double(flavor.gpus))
            detail = page.t("dashboard.gpuUse", ["count": "\(flavor.gpus * training.spec.job.nodes)"])
        } else {
            let used = samples.reduce(0) { $0 + $1.cpuPercent } / 100
            let given = nodes * Double(flavor.vcpus)
            percent = used / given * 100
            let memory = samples.reduce(0) { $0 + $1.memoryBytes }
            detail = page.t(
                "dashboard.cpuUse",
                [
                    "used": TrainingDashboard.cores(used), "given": TrainingDashboard.cores(given),
                    "memory": Cell.bytes(Int64(memory)),
                ])
        }
        return DashboardPart.Usage(
            name: training.metadata.name, href: "\(page.base)/trainings/\(training.id)/monitoring",
            core: flavor.gpus > 0 ? "GPU" : "CPU", percent: min(100, max(0, percent)), detail: detail)
    }

    private static func cores(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : String(format: value < 1 ? "%.2f" : "%.1f", value)
    }
}
