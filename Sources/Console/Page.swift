import Foundation
import HTTPTypes
import Hummingbird
import Identity
import NIOCore
import Resource
import Web

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

    /// For pages that lead to a change. What changes something is refused to viewers before any route sees it.
    package func checkMayWrite() throws {
        guard mayWrite else { throw TakumiError(.forbidden, t("error.viewer")) }
    }

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
            "path": path, "base": base,
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
