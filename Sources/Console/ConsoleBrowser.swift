import Foundation
import HTTPTypes
import Hummingbird
import Identity
import NIOCore
import Resource
import Web

/// Finds out what a browser brings, and refuses what another site made it send. In front of every page of the console.
///
/// A form counts only with the token of its session, sent as the field `csrf` or as `X-CSRF-Token`. Who is not logged in
/// has a token of their own in a cookie, so that nobody can log a stranger's browser in to an account of theirs.
package struct ConsoleBrowser: RouterMiddleware {
    private let directory: Directory
    private let isSecure: Bool

    /// - Parameter isSecure: whether this listener speaks TLS.
    package init(directory: Directory, isSecure: Bool) {
        self.directory = directory
        self.isSecure = isSecure
    }

    /// Not one name for both: a browser does not let the plain port replace a cookie that the other has marked `Secure`.
    package static func sessionCookie(isSecure: Bool) -> String {
        isSecure ? "__Host-takumi_session" : "takumi_session"
    }

    private var strangerCookie: String { isSecure ? "__Host-takumi_form" : "takumi_form" }
    /// Bytes of a form.
    private static let formLimit = 1 << 20

    package func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        var (request, context) = (request, context)
        let cookies = request.cookies
        var session = cookies[ConsoleBrowser.sessionCookie(isSecure: isSecure)]?.value
        // A token in a header says who asks over the API. Pages are for people: only their session counts.
        context.principal = nil
        if let secret = session {
            context.principal = try await directory.principal(of: secret, purposes: [.session])
            if context.principal == nil { session = nil }
        }
        var stranger: String?
        if session == nil { stranger = cookies[strangerCookie]?.value ?? Directory.random(bytes: 24) }
        var browser = Browser(
            language: cookies["takumi_language"].flatMap { Language(rawValue: $0.value) }
                ?? Language(accepting: request.headers[.acceptLanguage]),
            theme: cookies["takumi_theme"].flatMap { Theme(rawValue: $0.value) } ?? .auto,
            session: session, csrf: Browser.csrf(of: session ?? stranger ?? ""), isSecure: isSecure,
            address: context.address)
        if !request.isSafe {
            do { try await ConsoleBrowser.check(&request, &browser) } catch let error as TakumiError {
                browser.refusal = error
            }
        }
        context.browser = browser
        var response = try await next(request, context)
        response.protect()
        if let stranger, cookies[strangerCookie] == nil {
            response.setCookie(
                Cookie(
                    name: strangerCookie, value: stranger, path: "/", secure: isSecure, httpOnly: true,
                    sameSite: .strict))
        }
        return response
    }

    private static func check(_ request: inout Request, _ browser: inout Browser) async throws {
        try checkOrigin(request)
        if let sent = HTTPField.Name("X-CSRF-Token").flatMap({ request.headers[$0] }) {
            return try check(sent, browser)
        }
        guard let body = try? await request.collectBody(upTo: formLimit) else {
            throw TakumiError(.tooLarge, "the form is larger than \(formLimit >> 20) MiB")
        }
        browser.form = FormFields(encoded: String(buffer: body))
        try check(browser.form["csrf"] ?? "", browser)
    }

    private static func check(_ sent: String, _ browser: Browser) throws {
        let (sent, wanted) = (Array(sent.utf8), Array(browser.csrf.utf8))
        guard sent.count == wanted.count, zip(sent, wanted).reduce(0, { $0 | ($1.0 ^ $1.1) }) == 0 else {
            throw TakumiError(
                .forbidden, "this form is of an earlier session; go back, load the page again and send it once more")
        }
    }

    /// What a browser says of where a request comes from. Older ones say nothing: the token still counts.
    private static func checkOrigin(_ request: Request) throws {
        let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
        let origin = request.headers[.origin]
        let host = request.head.authority ?? ""
        let isOwn = origin.map { $0 == "http://\(host)" || $0 == "https://\(host)" } ?? true
        guard isOwn, site == nil || site == "same-origin" || site == "none" else {
            throw TakumiError(.forbidden, "this form was sent by another site")
        }
    }
}

extension Response {
    /// What every page of the console says to browsers: no script and style but its own files, in nobody's frame.
    mutating func protect() {
        if headers[.contentSecurityPolicy] == nil { headers[.contentSecurityPolicy] = Response.policy }
        headers[.xContentTypeOptions] = "nosniff"
        if let name = HTTPField.Name("Referrer-Policy") { headers[name] = "same-origin" }
        if let name = HTTPField.Name("Cross-Origin-Opener-Policy") { headers[name] = "same-origin" }
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
    }

    private static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
        "font-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")
}

/// Lets a request through to a project's pages if its user may read there, or write for anything but GET and HEAD.
///
/// A project that does not exist and one that is not the user's look the same. Who is not logged in comes to the log in
/// and from there to the page.
package struct ConsoleProjectAccess: RouterMiddleware {
    private let directory: Directory

    package init(directory: Directory) { self.directory = directory }

    package func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        let project = try context.project
        guard let principal = context.principal else { return try LogInFirst.response(request) }
        guard principal.mayRead(project: project), try await directory.hasProject(project) else {
            throw TakumiError(.notFound, "there is no such page")
        }
        guard request.isSafe || principal.mayWrite(project: project) else {
            throw TakumiError(.forbidden, "\(principal.user) may look at this project but not change it")
        }
        return try await next(request, context)
    }
}

package enum LogInFirst {
    /// For pages: to the log in, and back afterwards. For anything else there is nothing to come back to.
    package static func response(_ request: Request) throws -> Response {
        guard request.isSafe, request.headers[.accept]?.contains("text/html") ?? false else {
            throw TakumiError(.unauthenticated, "log in first")
        }
        let back = request.uri.string.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return Response(status: .seeOther, headers: [.location: "/login?next=\(back)", .cacheControl: "no-store"])
    }

    /// A place of this console to go on to. Anything that a browser could take for another site is the start page.
    package static func place(_ next: String?) -> String {
        guard let next, next.hasPrefix("/"), !next.hasPrefix("//"), !next.contains("\\"),
            !next.unicodeScalars.contains(where: { $0.value < 0x21 || $0.value == 0x7F })
        else { return "/" }
        return next
    }
}
