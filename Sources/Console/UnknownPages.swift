import HTTPTypes
import Hummingbird
import Resource
import Web

/// Answers a browser with a page where no route knows the address. For all else the router's own refusal stays.
package struct UnknownPages: RouterMiddleware {
    private let browser: ConsoleBrowser
    private let errors: ConsoleErrors

    package init(pages: Pages, isSecure: Bool) {
        browser = ConsoleBrowser(directory: pages.directory, isSecure: isSecure)
        errors = ConsoleErrors(pages: pages)
    }

    package func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch let error as HTTPError
            where error.status == .notFound && request.isSafe
            && request.headers[.accept]?.contains("text/html") ?? false
        {
            return try await browser.handle(request, context: context) { request, context in
                try await errors.handle(request, context: context) { _, _ in
                    throw TakumiError(.notFound, "there is no such page")
                }
            }
        }
    }
}
