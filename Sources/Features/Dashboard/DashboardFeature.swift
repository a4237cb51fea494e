import Console
import Engine
import FeatureKit
import Hummingbird
import Resource
import Store
import Web

/// The start page of a project (D-1 to D-3) and its history. What there is to say comes from the other features.
package struct DashboardFeature: Feature {
    private let store: Store
    private let engine: any Engine

    package init(store: Store, engine: any Engine) {
        self.store = store
        self.engine = engine
    }

    package var menu: [MenuEntry] {
        [
            MenuEntry("dashboard", icon: "dashboard", path: "", rank: 1),
            MenuEntry("events", icon: "events", path: "events", rank: 90),
        ]
    }

    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        group.get("") { request, context in try await dashboard(try pages.page(request, context)) }
        EventPages(store: store, pages: pages).add(to: group)
        group.get("live") { request, context in
            let page = try pages.page(request, context)
            let kinds = Set(page.query.all("kind").map { ResourceKind($0) }).intersection(pages.collections.keys)
            let id = page.query["id"].map { $0.lowercased() }
            return LiveStream(page, kinds: kinds, id: id).response()
        }
    }

    private func dashboard(_ page: Page) async throws -> Response {
        let t = page.t
        var parts: [DashboardPart] = []
        for part in page.pages.dashboard { parts.append(try await part(page)) }
        var model: [String: Any] = [
            "heading": t("dashboard.title"), "actions": parts.flatMap(\.actions).map(\.model),
            "lacksPassword": page.principal?.lacksPassword ?? false,
        ]
        model["stats"] = parts.flatMap(\.counts).map { count -> [String: Any] in
            ["label": count.label, "count": t.number(count.count), "href": count.href]
        }
        let usages = parts.flatMap(\.usages).sorted { $0.percent > $1.percent }
        model["cores"] = ["CPU", "GPU"].compactMap { core -> [String: Any]? in
            let mine = usages.filter { $0.core == core }.prefix(5)
            // A machine without GPUs has nothing to say of them.
            guard core == "CPU" || !mine.isEmpty else { return nil }
            return [
                "title": t("dashboard.usage", ["core": core]), "isEmpty": mine.isEmpty,
                "usages": mine.map { usage -> [String: Any] in
                    [
                        "name": usage.name, "href": usage.href, "detail": usage.detail,
                        "percent": "\(Int(usage.percent.rounded()))",
                    ]
                },
            ]
        }
        model["calls"] = parts.filter { !$0.callsTitle.isEmpty }.map { DashboardFeature.calls($0, t) }
        let capacity = await engine.capacity()
        model["machine"] = DashboardFeature.machine(capacity, t)
        model["recent"] = parts.filter { !$0.recentTitle.isEmpty }.map { part -> [String: Any] in
            [
                "title": part.recentTitle, "href": part.recentHref, "isEmpty": part.recent.isEmpty,
                "rows": part.recent.map { row -> [String: Any] in
                    [
                        "name": row.name, "href": row.href,
                        // The last is the cause, which is a sentence.
                        "cells": row.cells.enumerated().map { index, cell -> [String: Any] in
                            ["cell": cell.model, "isSentence": index == row.cells.count - 1]
                        },
                    ]
                },
            ]
        }
        let kinds = page.pages.collections.keys.map { "kind=\($0)" }.sorted().joined(separator: "&")
        return try await page.respond(
            "dashboard", model, title: t("dashboard.title"), section: "dashboard", live: "\(page.base)/live?\(kinds)")
    }

    /// Each can be opened to see how many of its calls went well (D-2).
    private static func calls(_ part: DashboardPart, _ t: Strings) -> [String: Any] {
        let most = part.calls.map { $0.success + $0.failure }.max() ?? 1
        return [
            "title": part.callsTitle, "isEmpty": part.calls.isEmpty,
            "called": part.calls.map { called -> [String: Any] in
                let count = called.success + called.failure
                return [
                    "id": called.id, "name": called.name, "href": called.href, "count": t.number(count),
                    "text": t.count("dashboard.calls", count), "value": "\(count)", "most": "\(most)",
                    "success": t.number(called.success), "failure": t.number(called.failure),
                    "successValue": "\(called.success)", "failureValue": "\(called.failure)",
                ]
            },
        ]
    }

    /// What of the machine is handed out, to every project together.
    private static func machine(_ capacity: Capacity, _ t: Strings) -> [[String: Any]] {
        func meter(_ name: String, _ used: Double, _ all: Int, _ text: String) -> [String: Any] {
            ["name": name, "used": decimal(used), "all": "\(max(1, all))", "text": text]
        }
        func memory(_ mebibytes: Int) -> String { Cell.bytes(Int64(mebibytes) << 20) }
        var meters = [
            meter(
                "vCPU", capacity.usedCPUs, capacity.cpus,
                t("dashboard.of", ["used": decimal(capacity.usedCPUs), "all": "\(capacity.cpus)"])),
            meter(
                t("chart.memory"), Double(capacity.usedMemoryMiB), capacity.memoryMiB,
                t(
                    "dashboard.of",
                    ["used": memory(capacity.usedMemoryMiB), "all": memory(capacity.memoryMiB)])),
        ]
        if capacity.gpus > 0 {
            let used = capacity.usedGPUs.count
            meters.append(
                meter(
                    "GPU", Double(used), capacity.gpus,
                    t("dashboard.of", ["used": "\(used)", "all": "\(capacity.gpus)"])))
        }
        return meters
    }
}

/// What happened in a project.
struct EventPages: Sendable {
    let store: Store
    let pages: Pages

    private static let pageSize = 50

    func add(to group: RouterGroup<TakumiContext>) {
        group.get("events") { request, context in try await list(try pages.page(request, context)) }
    }

    private func list(_ page: Page) async throws -> Response {
        let t = page.t
        let kind = page.query["kind"].map { ResourceKind($0) }.flatMap { pages.collections[$0] == nil ? nil : $0 }
        let events = try await store.events(
            ofProject: page.project ?? "", kinds: kind.map { [$0] } ?? Array(pages.collections.keys),
            before: try page.query.number("before"),
            limit: EventPages.pageSize + 1)
        var model: [String: Any] = [
            "heading": t("menu.events"),
            "events": events.prefix(EventPages.pageSize).map { event, name in
                EventModel.model(event, resource: page.address(of: event.key).map { (name, $0) })
            },
            "kinds": pages.collections.keys.map(\.rawValue).sorted().map { item -> [String: Any] in
                ["value": item, "name": t("\(item).title"), "selected": item == kind?.rawValue]
            },
        ]
        if events.count > EventPages.pageSize {
            let filter = kind.map { "&kind=\($0)" } ?? ""
            model["older"] = "\(page.base)/events?before=\(events[EventPages.pageSize - 1].event.sequence)\(filter)"
        }
        let kinds = pages.collections.keys.map { "kind=\($0)" }.sorted().joined(separator: "&")
        return try await page.respond(
            "event-list", model, title: t("menu.events"), section: "events", live: "\(page.base)/live?\(kinds)")
    }
}
