import Hummingbird
import Logging

/// One line per request at debug level; slow ones at notice, since somebody waited.
package struct RequestLog: RouterMiddleware {
    package init() {}

    package func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let elapsed = ContinuousClock.now - start
        context.logger.log(
            level: elapsed > .seconds(1) ? .notice : .debug, "\(request.method) \(request.uri.path)",
            metadata: ["status": "\(response.status.code)", "time": "\(elapsed)"])
        return response
    }
}
