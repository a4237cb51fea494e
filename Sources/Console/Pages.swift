import Foundation
import HTTPTypes
import Hummingbird
import Identity
import NIOCore
import Resource
import Web

/// An entry of the console's menu: one per section of what the product does.
package struct MenuEntry: Sendable {
    /// The key of its text is `menu.ID`.
    package var id: String
    package var icon: String
    /// Below `/projects/{appKey}/`.
    package var path: String
    /// Where it stands in the menu: the number of its section in SPEC.md, or above 60 for what has none.
    package var rank: Int
    /// Only for who administers the server. Then the path is one of the whole server.
    package var isForAdministrators = false

    package init(_ id: String, icon: String, path: String, rank: Int, isForAdministrators: Bool = false) {
        self.id = id
        self.icon = icon
        self.path = path
        self.rank = rank
        self.isForAdministrators = isForAdministrators
    }
}

/// A tab on the details of another feature's kind: the trainings of an experiment.
package struct RelatedTab: Sendable {
    package var kind: ResourceKind
    package var id: String
    /// The key of its name.
    package var name: String
    /// Below the heading that every page of the resource has.
    package var content: @Sendable (ResourceKey, Page) async throws -> (template: String, model: [String: Any])

    package init(
        _ kind: ResourceKind, id: String, name: String,
        content: @escaping @Sendable (ResourceKey, Page) async throws -> (template: String, model: [String: Any])
    ) {
        self.kind = kind
        self.id = id
        self.name = name
        self.content = content
    }
}

/// What a feature has to say on the dashboard (D-1, D-3).
package struct DashboardPart: Sendable {
    package struct Count: Sendable {
        package var label: String
        package var count: Int
        package var href: String

        package init(_ label: String, _ count: Int, href: String) {
            self.label = label
            self.count = count
            self.href = href
        }
    }

    /// What a running resource takes of what it was given.
    package struct Usage: Sendable {
        package var name: String
        package var href: String
        /// `CPU` or `GPU`.
        package var core: String
        /// 0 to 100.
        package var percent: Double
        /// "1.4 of 4 vCPU".
        package var detail: String

        package init(name: String, href: String, core: String, percent: Double, detail: String) {
            self.name = name
            self.href = href
            self.core = core
            self.percent = percent
            self.detail = detail
        }
    }

    package var counts: [Count] = []
    package var usages: [Usage] = []
    /// What happened last, newest first.
    package var recent: [ListRow] = []
    /// What follows the name in each of `recent`.
    /// Where to begin.
    package var actions: [Action] = []
    package var recentTitle = ""
    package var recentHref = ""

    package init() {}
}

/// What every page is made with.
package struct Pages: Sendable {
    package let menu: [MenuEntry]
    /// What the addresses of each kind's pages begin with: `trainings`.
    package let collections: [ResourceKind: String]
    package let related: [RelatedTab]
    package let dashboard: [@Sendable (Page) async throws -> DashboardPart]
    package let directory: Directory
    package let live: LiveHub
    private let fixed: Renderer
    private let folder: String?

    /// - Parameter folder: where `Console/` is read from at every request, for work on the console itself.
    /// - Throws: where a template or a table of strings is not as it should be.
    package init(
        menu: [MenuEntry], collections: [ResourceKind: String], related: [RelatedTab] = [],
        dashboard: [@Sendable (Page) async throws -> DashboardPart] = [], directory: Directory, live: LiveHub,
        folder: String? = nil
    ) throws {
        self.menu = menu.sorted { $0.rank < $1.rank }
        self.collections = collections
        self.related = related
        self.dashboard = dashboard
        self.directory = directory
        self.live = live
        self.folder = folder
        fixed = try Renderer(files: ConsoleFiles(folder: folder))
    }

    package var renderer: Renderer {
        guard let folder else { return fixed }
        return (try? Renderer(files: ConsoleFiles(folder: folder))) ?? fixed
    }

    /// The page of a request that `ConsoleBrowser` has let through.
    package func page(_ request: Request, _ context: TakumiContext) throws -> Page {
        guard let browser = context.browser else { throw TakumiError(.failed, "not a route of the console") }
        return Page(
            pages: self, renderer: renderer, browser: browser, principal: context.principal,
            project: context.parameters.get("appKey"), request: request)
    }
}

/// One page for one browser: its language, its user, its project, and how to answer.
package struct Page: Sendable {
    package let pages: Pages
    let renderer: Renderer
    package let browser: Browser
    package let principal: Principal?
    package let project: String?
    package let query: QueryItems
    /// The path of the request, as it came.
    package let path: String
    private let notice: String?
    /// Which part of the page a script asks for; nil for all of it.
    private let part: String?
    package let t: Strings

    init(
        pages: Pages, renderer: Renderer, browser: Browser, principal: Principal?, project: String?, request: Request
    ) {
        self.pages = pages
        self.renderer = renderer
        self.browser = browser
        self.principal = principal
        self.project = project
        query = QueryItems(request)
        path = request.uri.path
        notice = request.cookies[Page.noticeCookie]?.value.removingPercentEncoding
        part = HTTPField.Name("X-Part").flatMap { request.headers[$0] }
        // The renderer has every language, or it would not be there.
        t = renderer.strings[browser.language] ?? renderer.strings.values[renderer.strings.startIndex]
    }

    static let noticeCookie = "takumi_notice"

    /// `/projects/{appKey}`.
    package var base: String { "/projects/\((project ?? "").pathEscaped)" }
    package var mayWrite: Bool { project.flatMap { principal?.role(in: $0) }.map { $0 >= .member } ?? false }

    /// The details of a resource of this project, whatever its kind; nil where that kind has no pages.
    package func address(of key: ResourceKey) -> String? {
        pages.collections[key.kind].map { "\(base)/\($0)/\(key.id)" }
    }

    // MARK: - Answers

    /// - Parameters:
    ///   - template: what is in the shell's main part.
    ///   - section: the id of the menu's entry that the page belongs to.
    ///   - live: the address of the page's stream of changes.
    package func respond(
        _ template: String, _ model: [String: Any], title: String, section: String? = nil, live: String? = nil,
        status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        var model = model
        model["csrf"] = browser.csrf
        model["base"] = base
        model["mayWrite"] = mayWrite
        let content = try renderer.render(template, model, t.language)
        if part != nil {
            let title = "<title>\(title.htmlEscaped)</title>"
            return html("<!doctype html>\(title)<main id=\"main\">\(content)</main>", status: status)
        }
        var shell = try await shell(title: title, section: section)
        shell["content"] = content
        if let live { shell["live"] = live }
        return html(try renderer.render("shell", shell, t.language), status: status)
    }

    /// After a form: to another page, so that loading it again does not send the form again.
    /// - Parameter notice: shown once on the page that comes next.
    package func redirect(to location: String, notice: String? = nil) -> Response {
        var response = Response(status: .seeOther, headers: [.location: location, .cacheControl: "no-store"])
        if let notice {
            response.setCookie(
                Cookie(
                    name: Page.noticeCookie, value: notice.pathEscaped, maxAge: 30, path: "/", httpOnly: true,
                    sameSite: .lax))
        }
        return response
    }

    private func html(_ text: String, status: HTTPResponse.Status) -> Response {
        var response = Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
        if notice != nil, part == nil {
            response.setCookie(Cookie(name: Page.noticeCookie, value: "", maxAge: 0, path: "/", httpOnly: true))
        }
        return response
    }

    // MARK: - The shell

    private func shell(title: String, section: String?) async throws -> [String: Any] {
        var shell: [String: Any] = [
            "language": t.language.rawValue, "theme": browser.theme.rawValue, "title": title, "csrf": browser.csrf,
            "path": path, "assets": renderer.assetPath(t.language), "base": base,
            "languages": Language.allCases.map { language -> [String: Any] in
                [
                    "value": language.rawValue, "name": t("language.\(language.rawValue)"),
                    "selected": language == t.language,
                ]
            },
            "themes": Theme.allCases.map { theme -> [String: Any] in
                ["value": theme.rawValue, "name": t("theme.\(theme.rawValue)"), "selected": theme == browser.theme]
            },
        ]
        if let notice { shell["notice"] = String(notice.prefix(200)) }
        guard let principal, browser.session != nil else { return shell }
        shell["user"] = principal.user
        shell["isAdministrator"] = principal.isAdministrator
        shell["projects"] = try await pages.directory.projects(of: principal).map { name, _ -> [String: Any] in
            ["name": name, "href": "/projects/\(name.pathEscaped)", "current": name == project]
        }
        if let project {
            shell["project"] = project
            shell["menu"] = pages.menu.filter { !$0.isForAdministrators }.map { entry($0, section, base) }
        }
        if principal.isAdministrator {
            shell["administration"] = pages.menu.filter(\.isForAdministrators).map { entry($0, section, "") }
        }
        return shell
    }

    private func entry(_ entry: MenuEntry, _ section: String?, _ base: String) -> [String: Any] {
        [
            "name": t("menu.\(entry.id)"), "icon": entry.icon, "current": entry.id == section,
            "href": entry.path.isEmpty ? base : "\(base)/\(entry.path)",
        ]
    }
}
