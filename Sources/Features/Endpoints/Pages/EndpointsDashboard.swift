import Console
import FeatureKit
import Foundation
import Resource
import Store

/// What endpoints have to say on the dashboard: how many answer, and which are asked most (D-1, D-2).
struct EndpointsDashboard: Sendable {
    let store: Store
    let traffic: any Traffic
    let now: @Sendable () -> Date

    private static let day = 1440
    private static let shown = 3

    func part(_ page: Page) async throws -> DashboardPart {
        let counts = try await store.phaseCounts(of: .endpoint, project: page.project ?? "")
        var part = DashboardPart()
        let path = "\(page.base)/endpoints"
        part.counts = [
            .init(
                page.t("serving.dashboardActive"), counts[EndpointPhase.active.rawValue] ?? 0,
                href: "\(path)?state=ACTIVE")
        ]
        part.calls = try await calls(page, path)
        part.callsTitle = counts.isEmpty ? "" : page.t("serving.dashboardCalls")
        return part
    }

    private func calls(_ page: Page, _ path: String) async throws -> [DashboardPart.Calls] {
        let stages: [Stage] = try await store.records(Query(.stage, project: page.project)).map { try $0.decoded() }
        let now = now()
        var sums: [String: (success: Int, failure: Int)] = [:]
        for stage in stages {
            let total = StatisticsWire(
                traffic.statistics(of: stage.id), minutes: EndpointsDashboard.day, points: 1, now: now
            ).total
            let sum = sums[stage.spec.endpointID] ?? (0, 0)
            sums[stage.spec.endpointID] = (
                sum.success + total.successCount, sum.failure + total.clientErrorCount + total.serverErrorCount
            )
        }
        let most = sums.filter { $1.success + $1.failure > 0 }
            .sorted { ($0.value.success + $0.value.failure, $1.key) > ($1.value.success + $1.value.failure, $0.key) }
        var calls: [DashboardPart.Calls] = []
        for (id, sum) in most.prefix(EndpointsDashboard.shown) {
            guard let record = try await store.record(ResourceKey(.endpoint, id)) else { continue }
            calls.append(
                .init(
                    id: id, name: record.metadata.name, href: "\(path)/\(id)", success: sum.success,
                    failure: sum.failure))
        }
        return calls
    }
}
