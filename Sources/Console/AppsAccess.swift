import Hummingbird
import Identity
import Resource
import Web

/// The way from the console to the origin of users' programs: a ticket, which is traded there for a cookie.
package enum AppsAccess {
    package static let cookie = "__Host-takumi_apps"
    /// The item of the query that a ticket comes in.
    package static let ticket = "takumi_ticket"

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
    /// - Parameter path: May have a query, which is kept.
    package func redirect(toApp path: String, at appsURL: String) async throws -> Response {
        guard let session = browser.session, let ticket = try await pages.directory.createTicket(session: session)
        else { throw TakumiError(.unauthenticated, "log in first") }
        let place = path.prefix { $0 != "#" }
        let mark = place.contains("?") ? "&" : "?"
        return redirect(to: "\(appsURL)\(place)\(mark)\(AppsAccess.ticket)=\(ticket)")
    }
}
