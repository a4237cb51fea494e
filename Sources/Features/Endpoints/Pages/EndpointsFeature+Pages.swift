import Console
import FeatureKit
import Foundation
import Hummingbird
import JobKit
import Resource
import Store
import Web

extension EndpointsFeature {
    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        let endpoints = ResourcePages(endpoints, pages, store: store)
        let stages = ResourcePages(stages, pages, store: store)
        let resources = ResourcePages(resources, pages, store: store)
        StageTabs(
            endpoints: endpoints, stages: stages, resources: resources, files: JobFiles(home: surroundings.home),
            traffic: traffic, sources: sources, store: store
        ).add(to: group)
        StageActionPages(
            endpoints: endpoints, stages: stages, actions: actions, store: store, secrets: ShownOnce()
        ).add(to: group)
        endpoints.add(to: group)
        stages.add(to: group)
        resources.add(to: group)
    }

    /// Where a model is served (M-7).
    package var relatedTabs: [RelatedTab] {
        [
            RelatedTab(.model, id: "endpoints", name: "endpoint.title") { key, page in
                let pages = ResourcePages(resources, page.pages, store: store)
                let path = "\(page.base)/models/\(key.id)/tab/endpoints"
                var listing = try await pages.listing(referring: key, path: path, page)
                // On the model's own page its name says nothing: where it is served does.
                listing.columns[0] = Column(page.t("serving.where"))
                for index in listing.rows.indices { try await name(&listing.rows[index], page) }
                var model: [String: Any] = [
                    "listing": listing.model(page.t),
                    "live": "\(page.base)/live?kind=model&kind=endpointModel&kind=endpointStage",
                ]
                if listing.total == 0, !listing.request.isFiltered {
                    model["isEmpty"] = ["icon": "endpoint", "text": page.t("model.noEndpoints")]
                }
                return ("related", model)
            }
        ]
    }

    private func name(_ row: inout ListRow, _ page: Page) async throws {
        guard let resource: StageResource = try await store.resource(ResourceKey(.stageResource, row.id)) else {
            return
        }
        let (stage, endpoint) = (
            try await store.record(ResourceKey(.stage, resource.spec.stageID)),
            try await store.record(ResourceKey(.endpoint, resource.spec.endpointID))
        )
        row.name = [endpoint, stage].compactMap { $0?.metadata.name }.joined(separator: " / ")
        row.cells[0] = .title(row.name, href: row.href)
    }

    package var dashboard: (@Sendable (Page) async throws -> DashboardPart)? {
        { page in try await EndpointsDashboard(store: store, traffic: traffic, now: sources.now).part(page) }
    }
}
