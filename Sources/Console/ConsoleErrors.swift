import HTTPTypes
import Hummingbird
import Resource
import Web

/// Behind `ConsoleBrowser`, which knows how to talk to the browser. Turns what a page's route throws into a page, or into the API's envelope for scripts.
package struct ConsoleErrors: RouterMiddleware {
    private let pages: Pages

    package init(pages: Pages) { self.pages = pages }

    package func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        do {
            if let refusal = context.browser?.refusal { throw refusal }
            return try await next(request, context)
        } catch {
            guard request.headers[.accept]?.contains("text/html") ?? false else { throw error }
            let errors = ErrorEnvelope.errors(of: error)
            let status = errors[0].status
            if status.kind == .serverError {
                context.logger.error("page failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            }
            let page = try pages.page(request, context)
            let key =
                switch errors[0].code {
                case .notFound: "error.notFound"
                case .forbidden: "error.forbidden"
                case .unauthenticated: "error.unauthenticated"
                case .conflict: "error.conflict"
                case .tooLarge, .invalid: "error.invalid"
                case .unavailable: "error.unavailable"
                case .failed: "error.failed"
                }
            return try await page.respond(
                "error",
                [
                    "title": page.t(key), "messages": errors.map(\.line), "home": page.base,
                    "hasProject": page.project != nil && errors[0].code != .notFound,
                ], title: page.t(key), status: status)
        }
    }
}
