import Console
import Foundation
import JobKit
import Resource
import Storage
import Store

extension NotebooksFeature {
    /// How many are in use, and what they use (D-1, D-3).
    package var dashboard: (@Sendable (Page) async throws -> DashboardPart)? {
        { page in
            let counts = try await store.phaseCounts(of: .notebook, project: page.project ?? "")
            var part = DashboardPart()
            part.counts = [
                .init(
                    page.t("dashboard.notebooks"), counts[NotebookPhase.healthy.rawValue] ?? 0,
                    href: "\(page.base)/notebooks?state=\(NotebookPhase.healthy.rawValue)")
            ]
            part.usages = try await usages(page)
            return part
        }
    }

    private func usages(_ page: Page) async throws -> [DashboardPart.Usage] {
        var query = Query(.notebook, project: page.project)
        query.phases = [NotebookPhase.healthy.rawValue, NotebookPhase.unhealthy.rawValue]
        query.limit = 100
        let active: [Notebook] = try await store.records(query).map { try $0.decoded() }
        let (files, catalog) = (files, routes.type.catalog)
        return try await BlockingWork.run {
            active.compactMap { notebook in
                guard let flavor = catalog.flavor(id: notebook.spec.flavorID) else { return nil }
                let last = files.lastSample(notebook.workloadID, node: 0)
                return DashboardPart.Usage(
                    notebook.metadata.name, href: "\(page.base)/notebooks/\(notebook.id)/monitoring", flavor: flavor,
                    samples: [last].compactMap { $0 }, page)
            }
        }
    }
}
