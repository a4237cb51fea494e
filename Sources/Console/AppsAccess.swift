import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Resource
import Web

/// Lets browsers in to the origin of users' programs (TensorBoard, notebooks): by a cookie of its own, which comes from
/// the console by a ticket and ends with the console's session. Tokens in headers work as for the API.
package struct AppsAccess: RouterMiddleware {
    private let directory: Directory
    private let consoleURL: @Sendable () -> String

    /// - Parameter consoleURL: where the console is reached, for who has no cookie yet.
    package init(directory: Directory, consoleURL: @escaping @Sendable () -> String) {
        self.directory = directory
        self.consoleURL = consoleURL
    }

    static let cookie = "__Host-takumi_apps"
    static let ticket = "takumi_ticket"

    package func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let ticket = QueryItems(request)[AppsAccess.ticket] {
            guard let secret = try await directory.redeem(ticket: ticket) else {
                throw TakumiError(.unauthenticated, "this link has been used or has expired; open it from the console")
            }
            // To the same address without the ticket, which must not stay in the history.
            var response = Response(
                status: .seeOther, headers: [.location: LogInFirst.place(request.uri.path), .cacheControl: "no-store"])
            response.setCookie(
                Cookie(
                    name: AppsAccess.cookie, value: secret, maxAge: Int(Directory.sessionLifetime), path: "/",
                    secure: true, httpOnly: true, sameSite: .lax))
            return response
        }
        if context.principal == nil, let secret = request.cookies[AppsAccess.cookie]?.value {
            // Programs ask by POST for things to show. Another site cannot: the cookie is not sent from there (Lax), and
            // a page of the console has no business here.
            guard request.isSafe || AppsAccess.isOwn(request) else {
                throw TakumiError(.forbidden, "this request was sent by another site")
            }
            context.principal = try await directory.principal(of: secret, purposes: [.apps])
        }
        if context.principal == nil, request.isSafe, request.headers[.accept]?.contains("text/html") ?? false {
            let place = request.uri.path.pathEscaped
            return Response(
                status: .seeOther,
                headers: [.location: "\(consoleURL())/apps?to=\(place)", .cacheControl: "no-store"])
        }
        return try await next(request, context)
    }

    private static func isOwn(_ request: Request) -> Bool {
        guard let origin = request.headers[.origin] else { return true }
        return origin == "https://\(request.head.authority ?? "")"
    }

    /// `GET /apps?to=/tensorboard/…` of the console: with a ticket, back to where the browser came from.
    package static func addConsoleRoute(
        to group: RouterGroup<TakumiContext>, pages: Pages, appsURL: @escaping @Sendable () -> String
    ) {
        group.get("apps") { request, context in
            guard context.principal != nil else { return try LogInFirst.response(request) }
            let page = try pages.page(request, context)
            return try await page.redirect(toApp: LogInFirst.place(page.query["to"]), at: appsURL())
        }
    }
}

extension Page {
    /// To a user's program on its own origin, with what lets this browser in there.
    package func redirect(toApp path: String, at appsURL: String) async throws -> Response {
        guard let session = browser.session, let ticket = try await pages.directory.createTicket(session: session)
        else { throw TakumiError(.unauthenticated, "log in first") }
        let place = path.prefix { $0 != "?" && $0 != "#" }
        return redirect(to: "\(appsURL)\(place)?\(AppsAccess.ticket)=\(ticket)")
    }
}
