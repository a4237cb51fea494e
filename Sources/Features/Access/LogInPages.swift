import Console
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Resource
import Synchronization
import Web

/// Log in by the one-time link or with a password, log out, language and theme.
struct LogInPages: Sendable {
    let directory: Directory
    let pages: Pages
    let throttle: Throttle

    /// Counts for every listener together.
    final class Throttle: Sendable {
        let state = Mutex(LoginThrottle())
        let origin = ContinuousClock.now

        var now: Duration { ContinuousClock.now - origin }
    }

    func add(to group: RouterGroup<TakumiContext>) {
        group.get("") { request, context in try await start(try pages.page(request, context)) }
        group.get("login") { request, context in
            let page = try pages.page(request, context)
            if let token = page.query["token"] { return try await follow(token, request, page) }
            // Who is logged in already has no use for it.
            if page.principal != nil { return page.redirect(to: LogInFirst.place(page.query["next"])) }
            return try await form(page)
        }
        group.post("login") { request, context in try await logIn(try pages.page(request, context)) }
        group.post("login/link") { request, context in
            let page = try pages.page(request, context)
            return try await redeem(page.browser.form["token"] ?? "", page)
        }
        group.post("logout") { request, context in try await logOut(try pages.page(request, context)) }
        group.post("preferences") { request, context in preferences(try pages.page(request, context)) }
    }

    // MARK: - The start page

    private func start(_ page: Page) async throws -> Response {
        guard let principal = page.principal else { return page.redirect(to: "/login") }
        let mine = try await directory.projects(of: principal).map(\.name)
        let first = mine.contains("default") ? "default" : mine.first
        if let first { return page.redirect(to: "/projects/\(first.pathEscaped)") }
        return try await page.respond(
            "error",
            ["title": page.t("start.noProject"), "messages": [page.t("start.noProjectText")], "hasProject": false],
            title: page.t("start.noProject"))
    }

    // MARK: - Log in

    /// A link logs in at once where there is nothing to lose. Where the browser has a session already, or another site
    /// has sent it here, the user is asked: nobody may swap a stranger's session by a link of their own.
    private func follow(_ token: String, _ request: Request, _ page: Page) async throws -> Response {
        let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
        // A HEAD asks what there is, as checkers of links do; nothing is used up by it.
        if request.method == .get, page.principal == nil, site == nil || site == "none" || site == "same-origin" {
            return try await redeem(token, page)
        }
        guard let name = try await directory.userName(ofLogin: token) else {
            throw TakumiError(.unauthenticated, page.t("login.linkUsed"))
        }
        let model: [String: Any] = [
            "action": "/login/link" + LogInPages.next(page), "token": token,
            "text": page.t("login.linkText", ["name": name]),
            "button": page.t("login.linkButton", ["name": name]),
        ]
        return try await page.respond("login-link", model, title: page.t("login.title"))
    }

    private func redeem(_ token: String, _ page: Page) async throws -> Response {
        guard let session = try await directory.redeem(login: token) else {
            throw TakumiError(.unauthenticated, page.t("login.linkUsed"))
        }
        return try await begin(session, page)
    }

    private func form(_ page: Page, error: String? = nil, status: HTTPResponse.Status = .ok) async throws -> Response {
        let t = page.t
        let typed = page.browser.form.text("userName")
        var model: [String: Any] = ["action": "/login" + LogInPages.next(page), "userName": typed ?? ""]
        if let error { model["error"] = error }
        return try await page.respond("login", model, title: t("login.title"), status: status)
    }

    /// Where to go on to, for the form's own address.
    private static func next(_ page: Page) -> String {
        page.query["next"].map { "?next=\($0.pathEscaped)" } ?? ""
    }

    private func logIn(_ page: Page) async throws -> Response {
        let t = page.t
        let form = page.browser.form
        let name = form.text("userName") ?? ""
        let password = form["password"] ?? ""
        guard !name.isEmpty, !password.isEmpty else {
            return try await self.form(page, error: t("login.missing"), status: .unprocessableContent)
        }
        let address = page.browser.address
        let delay = throttle.state.withLock { $0.delay(user: name, address: address, now: throttle.now) }
        if let delay {
            let seconds = Int(delay.components.seconds) + 1
            var response = try await self.form(
                page, error: t("login.wait", ["seconds": "\(seconds)"]), status: .tooManyRequests)
            response.headers[.retryAfter] = "\(seconds)"
            return response
        }
        // Counted before the password is looked at: many tries at once must not all be the first.
        throttle.state.withLock { $0.failed(user: name, address: address, now: throttle.now) }
        guard let session = try await directory.logIn(name: name, password: password) else {
            return try await self.form(page, error: t("login.wrong"), status: .unprocessableContent)
        }
        throttle.state.withLock { $0.succeeded(user: name, address: address) }
        return try await begin(session, page)
    }

    /// A session of a log in is a new one, and the one before it ends: what somebody may have planted is worth nothing.
    private func begin(_ session: String, _ page: Page) async throws -> Response {
        if let old = page.browser.session { try await directory.logOut(session: old) }
        var notice: String?
        if let principal = try await directory.principal(of: session, purposes: [.session]), let id = principal.userID,
            try await directory.user(id: id)?.spec.password == nil
        {
            notice = page.t("login.setPassword")
        }
        var response = page.redirect(to: LogInFirst.place(page.query["next"]), notice: notice)
        response.setCookie(
            Cookie(
                name: ConsoleBrowser.sessionCookie(isSecure: page.browser.isSecure), value: session,
                maxAge: Int(Directory.sessionLifetime), path: "/", secure: page.browser.isSecure, httpOnly: true,
                sameSite: .lax))
        return response
    }

    private func logOut(_ page: Page) async throws -> Response {
        if let session = page.browser.session { try await directory.logOut(session: session) }
        var response = page.redirect(to: "/login")
        response.setCookie(
            Cookie(
                name: ConsoleBrowser.sessionCookie(isSecure: page.browser.isSecure), value: "", maxAge: 0, path: "/",
                secure: page.browser.isSecure, httpOnly: true, sameSite: .lax))
        return response
    }

    // MARK: - Preferences

    private func preferences(_ page: Page) -> Response {
        let form = page.browser.form
        var response = page.redirect(to: LogInFirst.place(form["back"]))
        func keep(_ name: String, _ value: String) {
            response.setCookie(
                Cookie(
                    // Not Secure: the plain port could not replace it then.
                    name: name, value: value, maxAge: 365 * 24 * 3600, path: "/", httpOnly: true, sameSite: .lax))
        }
        if let language = form["language"].flatMap(Language.init(rawValue:)) {
            keep("takumi_language", language.rawValue)
        }
        if let theme = form["theme"].flatMap(Theme.init(rawValue:)) { keep("takumi_theme", theme.rawValue) }
        return response
    }
}
