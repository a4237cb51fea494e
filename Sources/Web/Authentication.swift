import HTTPTypes
import Hummingbird
import Identity
import Resource

/// Finds out who asks, from a token in any of the headers that clients send. Cookies count for the console only, which
/// does its own checks: a browser sends them whether the user wants it or not.
package struct Authentication: RouterMiddleware {
    private static let easyMaker = HTTPField.Name("X-EasyMaker-Token")
    private static let nhn = HTTPField.Name("x-nhn-authorization")

    private let directory: Directory

    package init(directory: Directory) { self.directory = directory }

    package func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let token = Authentication.token(of: request) {
            context.principal = try await directory.principal(of: token, purposes: TokenSpec.Purpose.forAPI)
        }
        return try await next(request, context)
    }

    private static func token(of request: Request) -> String? {
        if let name = easyMaker, let token = request.headers[name] { return token }
        if let name = nhn, let value = request.headers[name] { return bearer(value) }
        return request.headers[.authorization].flatMap(bearer)
    }

    private static func bearer(_ value: String) -> String? {
        let parts = value.split(separator: " ", maxSplits: 1)
        return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : nil
    }
}

/// Lets a request through to a project's routes if whoever asks may read there, or write for anything but GET and HEAD.
///
/// A project that does not exist and one that is not the caller's look the same.
package struct ProjectAccess: RouterMiddleware {
    private let directory: Directory

    package init(directory: Directory) { self.directory = directory }

    package func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        guard let principal = context.principal else {
            throw TakumiError(
                .unauthenticated,
                "no valid token; send one as X-EasyMaker-Token (make one with: takumi token create --project NAME)")
        }
        let project = try context.project
        guard principal.mayRead(project: project), try await directory.hasProject(project) else {
            throw TakumiError(.notFound, "no project has the app key '\(project.excerpt)'", field: "appKey")
        }
        guard request.isSafe || principal.mayWrite(project: project) else {
            throw TakumiError(.forbidden, "\(principal.user) may look at this project but not change it")
        }
        return try await next(request, context)
    }
}

extension Request {
    /// True for methods that only look.
    package var isSafe: Bool { method == .get || method == .head }
}

extension TakumiContext {
    /// The app key in the path.
    package var project: String {
        get throws { try parameters.require("appKey") }
    }

    /// The id in the path.
    package var id: String {
        get throws { try parameters.require("id") }
    }
}
