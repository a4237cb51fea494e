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
                return DashboardPart.Usage(
                    training.metadata.name, href: "\(page.base)/trainings/\(training.id)/monitoring", flavor: flavor,
                    nodes: training.spec.job.nodes, samples: samples, page)
            }
        }
    }
}
