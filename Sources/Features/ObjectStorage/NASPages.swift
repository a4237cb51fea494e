import Console
import Foundation
import Hummingbird
import Resource
import Storage
import Web

/// The mounted directories that a project may use: looked at here, written to by jobs.
struct NASPages: Sendable {
    let places: StoragePlaces
    let pages: Pages

    func add(to group: RouterGroup<TakumiContext>) {
        group.get("nas") { request, context in try await list(try pages.page(request, context)) }
        group.get("nas/{nas}") { request, context in try await folder(try pages.page(request, context)) }
        group.get("nas/{nas}/**") { request, context in try await folder(try pages.page(request, context)) }
    }

    private func list(_ page: Page) async throws -> Response {
        let t = page.t
        let all = try await places.storage.nas(project: page.project ?? "")
        let model: [String: Any] = [
            "heading": "NAS", "isEmpty": all.isEmpty,
            "nas": all.map { nas -> [String: Any] in
                var row: [String: Any] = [
                    "name": nas.id, "href": StoragePlaces.nas(nas.id, "", page),
                    "uri": Cell.code("nas://\(nas.id):/").model,
                    "badge": (nas.problem == nil ? Badge(t("nas.ready"), .good) : Badge(t("nas.missing"), .bad)).model,
                ]
                if let problem = nas.problem {
                    row["problem"] = problem
                } else {
                    row["space"] = t("nas.free", ["free": Cell.bytes(nas.free), "size": Cell.bytes(nas.size)])
                    row["used"] = "\(max(0, nas.size - nas.free) >> 20)"
                    row["size"] = "\(max(1, nas.size >> 20))"
                }
                return row
            },
        ]
        return try await page.respond("nas", model, title: "NAS", section: "nas")
    }

    private func folder(_ page: Page) async throws -> Response {
        let (id, rest) = try StoragePlaces.split(page.path, after: "/nas/")
        let path = rest.split(separator: "/").joined(separator: "/")
        let entries = try await places.storage.entries(ofNAS: id, path: path, project: page.project ?? "")
        var crumbs = [
            ["name": "NAS", "href": "\(page.base)/nas"], ["name": id, "href": StoragePlaces.nas(id, "", page)],
        ]
        var sofar = ""
        for part in path.split(separator: "/") {
            sofar += sofar.isEmpty ? "\(part)" : "/\(part)"
            crumbs.append(["name": String(part), "href": StoragePlaces.nas(id, sofar, page)])
        }
        let heading = crumbs.removeLast()["name"] ?? id
        let model: [String: Any] = [
            "heading": heading, "crumb": true, "crumbs": crumbs, "uri": Cell.code("nas://\(id):/\(path)").model,
            "isEmpty": entries.isEmpty, "isTruncated": entries.count > StoragePlaces.pageSize,
            "files": entries.prefix(StoragePlaces.pageSize).map { entry -> [String: Any] in
                var row: [String: Any] = [
                    "icon": entry.isFolder ? "folder" : "file", "name": entry.name,
                    "time": Cell.model(Date(timeIntervalSince1970: entry.modified)),
                ]
                if entry.isFolder {
                    row["href"] = StoragePlaces.nas(id, path.isEmpty ? entry.name : "\(path)/\(entry.name)", page)
                } else {
                    row["size"] = Cell.bytes(entry.size)
                }
                return row
            },
        ]
        return try await page.respond("nas-folder", model, title: heading, section: "nas")
    }
}
