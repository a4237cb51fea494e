import Console
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Resource
import Storage
import Web

/// Files of the storage browser: up, down, away; and the picker that forms use.
struct StorageFilePages: Sendable {
    let places: StoragePlaces
    let pages: Pages

    private var store: DiskStore { places.store }

    func add(to group: RouterGroup<TakumiContext>) {
        group.group("storage")
            .get("files/{container}/**") { request, context in try await download(try pages.page(request, context)) }
            .put("files/{container}/**") { request, context in
                try await upload(request, try pages.page(request, context))
            }
            .get("delete") { request, context in try await confirmDelete(try pages.page(request, context)) }
            .post("delete") { request, context in try await delete(try pages.page(request, context)) }
            .get("browse") { request, context in try await browse(try pages.page(request, context)) }
    }

    // MARK: - Up and down

    private func upload(_ request: Request, _ page: Page) async throws -> Response {
        let (container, name) = try StoragePlaces.split(page.path, after: "/storage/files/")
        let path = try await places.container(container, page)
        let length = request.headers[.contentLength].flatMap { Int64($0) }
        let info = try await store.put(
            path.object(name), ObjectAttributes(contentType: request.headers[.contentType]),
            condition: UploadCondition(length: length), body: request.body)
        return try PageJSON.response(["name": info.name, "etag": info.etag])
    }

    /// Always to be saved, never to be shown: a file that somebody uploaded must not act as a page of the console.
    private func download(_ page: Page) async throws -> Response {
        let (container, name) = try StoragePlaces.split(page.path, after: "/storage/files/")
        let path = try await places.container(container, page)
        guard let content = try await store.open(path.object(name)) else {
            throw TakumiError(.notFound, "object '\(name.excerpt)' does not exist")
        }
        let file = name.split(separator: "/").last.map(String.init) ?? name
        let reader = content.reader(0..<content.info.size)
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/octet-stream",
                .contentDisposition: "attachment; filename*=UTF-8''\(file.pathEscaped)",
                .contentSecurityPolicy: "sandbox",
            ],
            body: ResponseBody(contentLength: Int(content.info.size)) { writer in
                var reader = reader
                while let piece = try await reader.next() { try await writer.write(piece) }
                try await writer.finish(nil)
            })
    }

    // MARK: - Away

    /// What an address means: an object, all objects below a folder, or a container.
    private struct Target {
        var container: ContainerPath
        var name: String
        var isFolder: Bool { name.hasSuffix("/") }
    }

    private func target(_ page: Page) async throws -> Target {
        Target(
            container: try await places.container(page.query["container"] ?? "", page), name: page.query["name"] ?? "")
    }

    /// More at a time would keep the browser waiting for too long.
    private static let mostDeleted = 10_000

    private func confirmDelete(_ page: Page) async throws -> Response {
        let t = page.t
        try page.checkMayWrite()
        let target = try await target(page)
        let container = target.container.container
        var (text, refusal): (String, String?) = (t("storage.deleteFile"), nil)
        var back = StoragePlaces.folder(container, StorageFilePages.parent(target.name), page)
        if target.name.isEmpty {
            let isUsed = try await !store.names(target.container, ListQuery(limit: 1)).isEmpty
            text = t("storage.deleteContainer")
            refusal = isUsed ? t("storage.notEmpty") : nil
            back = StoragePlaces.address(page)
        } else if target.isFolder {
            let count = try await store.names(
                target.container, ListQuery(prefix: target.name, limit: StorageFilePages.mostDeleted + 1)
            ).count
            text = t.count("storage.deleteFolder", count)
            if count > StorageFilePages.mostDeleted { refusal = t("storage.tooMany") }
        }
        let confirmation = Confirmation(
            title: t("storage.delete", ["name": target.name.isEmpty ? container : target.name]), text: text,
            button: t("action.delete"), refusal: refusal, back: back)
        return try await page.respond("confirm", confirmation.model, title: confirmation.title, section: "storage")
    }

    private func delete(_ page: Page) async throws -> Response {
        let target = try await target(page)
        let container = target.container.container
        if target.name.isEmpty {
            try await store.deleteContainer(target.container)
            return page.redirect(
                to: StoragePlaces.address(page), notice: page.t("storage.deleted", ["name": container]))
        }
        if target.isFolder {
            let names = try await store.names(
                target.container, ListQuery(prefix: target.name, limit: StorageFilePages.mostDeleted))
            for name in names {
                // Somebody else may have been faster.
                do { try await store.deleteObject(target.container.object(name)) } catch let error as TakumiError
                    where error.code == .notFound
                {}
            }
        } else {
            try await store.deleteObject(target.container.object(target.name))
        }
        return page.redirect(
            to: StoragePlaces.folder(container, StorageFilePages.parent(target.name), page),
            notice: page.t("storage.deleted", ["name": target.name]))
    }

    /// `a/b/c` and `a/b/c/` lie in `a/b/`.
    private static func parent(_ name: String) -> String {
        let parts = name.split(separator: "/").dropLast()
        return parts.isEmpty ? "" : parts.joined(separator: "/") + "/"
    }

    // MARK: - The picker

    private struct Listing: Encodable {
        struct Folder: Encodable {
            var name: String
            var uri: String
        }
        struct File: Encodable {
            var name: String
            var uri: String
            var size: Int64
            var modified: String
        }
        var uri: String
        var name: String
        var parent: String?
        var folders: [Folder] = []
        var files: [File] = []
        var upload: String?
        var truncated = false
    }

    private func browse(_ page: Page) async throws -> Response {
        let project = try await places.project(page)
        let text = page.query["uri"] ?? ""
        guard !text.isEmpty else { return try PageJSON.response(try await roots(project, page)) }
        switch try StorageURI(text, field: "uri") {
        case .object(_, let tenant, let container, let path) where tenant == project.spec.tenantID:
            return try PageJSON.response(try await objects(project, container, path, page))
        case .nas(let id, let path): return try PageJSON.response(try await nas(id, path, page))
        case .object, .s3, .file:
            throw TakumiError(.notFound, page.t("storage.elsewhere", ["uri": text]), field: "uri")
        }
    }

    private func roots(_ project: Project, _ page: Page) async throws -> Listing {
        var listing = Listing(uri: "", name: page.t("menu.storage"))
        listing.folders =
            try await store.containers(project.spec.tenantID).map {
                .init(name: $0.name, uri: "\(places.root(project))/\($0.name)")
            }
            + (try await places.storage.nas(project: page.project ?? "").filter { $0.problem == nil }.map {
                .init(name: "NAS \($0.id)", uri: "nas://\($0.id):/")
            })
        return listing
    }

    private func objects(_ project: Project, _ container: String, _ path: String, _ page: Page) async throws -> Listing
    {
        let root = "\(places.root(project))/\(container)"
        let prefix = path.isEmpty ? "" : path + "/"
        let place = ContainerPath(tenant: project.spec.tenantID, container: container)
        let entries = try await store.list(
            place, ListQuery(prefix: prefix, delimiter: "/", limit: StoragePlaces.pageSize + 1))
        let parent = StorageFilePages.parent(path).dropLast()
        var listing = Listing(
            uri: path.isEmpty ? root : "\(root)/\(path)",
            name: path.split(separator: "/").last.map(String.init) ?? container,
            parent: path.isEmpty ? "" : parent.isEmpty ? root : "\(root)/\(parent)")
        for entry in entries.prefix(StoragePlaces.pageSize) where entry.name != prefix {
            let name = String(entry.name.dropFirst(prefix.count))
            switch entry {
            case .folder:
                listing.folders.append(
                    .init(name: String(name.dropLast()), uri: "\(root)/\(entry.name.dropLast())"))
            case .object(let info):
                let date = Date(timeIntervalSince1970: Double(info.timestamp.wholeSeconds))
                listing.files.append(
                    .init(name: name, uri: "\(root)/\(info.name)", size: info.size, modified: WireJSON.time(date)))
            }
        }
        listing.truncated = entries.count > StoragePlaces.pageSize
        if page.mayWrite { listing.upload = StoragePlaces.file(container, prefix, page) }
        return listing
    }

    private func nas(_ id: String, _ path: String, _ page: Page) async throws -> Listing {
        let entries = try await places.storage.entries(ofNAS: id, path: path, project: page.project ?? "")
        let root = "nas://\(id):/"
        let parent = StorageFilePages.parent(path).dropLast()
        var listing = Listing(
            uri: root + path, name: path.split(separator: "/").last.map(String.init) ?? "NAS \(id)",
            parent: path.isEmpty ? "" : root + parent)
        for entry in entries.prefix(StoragePlaces.pageSize) {
            let uri = root + (path.isEmpty ? "" : path + "/") + entry.name
            if entry.isFolder {
                listing.folders.append(.init(name: entry.name, uri: uri))
            } else {
                listing.files.append(
                    .init(
                        name: entry.name, uri: uri, size: entry.size,
                        modified: WireJSON.time(Date(timeIntervalSince1970: entry.modified))))
            }
        }
        listing.truncated = entries.count > StoragePlaces.pageSize
        return listing
    }
}
