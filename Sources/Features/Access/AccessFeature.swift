import Console
import FeatureKit
import Hummingbird
import Identity
import Resource
import ServiceLifecycle
import Web

/// Who may come in and what they may do: log in, accounts, users, projects, roles.
package struct AccessFeature: Feature {
    private let directory: Directory
    /// Gives a new project what it needs besides its name.
    private let prepare: @Sendable (Project) async throws -> Void
    private let throttle = LogInPages.Throttle()
    private let secrets = ShownOnce()

    package init(directory: Directory, prepare: @escaping @Sendable (Project) async throws -> Void) {
        self.directory = directory
        self.prepare = prepare
    }

    package var menu: [MenuEntry] {
        [
            MenuEntry("users", icon: "users", path: "administration/users", rank: 100, isForAdministrators: true),
            MenuEntry(
                "projects", icon: "project", path: "administration/projects", rank: 101, isForAdministrators: true),
        ]
    }

    package func addSitePages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {
        LogInPages(directory: directory, pages: pages, throttle: throttle).add(to: group)
        AccountPages(directory: directory, pages: pages, throttle: throttle, secrets: secrets).add(to: group)
        let administration = group.group("administration").add(middleware: AdministratorsOnly())
        UserPages(directory: directory, pages: pages, secrets: secrets).add(to: administration)
        ProjectPages(directory: directory, pages: pages, prepare: prepare).add(to: administration)
    }

    package var services: [any Service] { [TokenSweep(directory: directory)] }

    package var api: APIDescription { UserAPI.description }

    package func addRootRoutes(to router: Router<TakumiContext>) {
        UserAPI(directory: directory, prepare: prepare).add(to: router)
    }
}

/// Removes tokens that have expired: each visit of TensorBoard leaves a few.
private struct TokenSweep: Service {
    let directory: Directory

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await directory.removeExpiredTokens()
                try? await Task.sleep(for: .seconds(3600))
            }
        }
    }
}

/// Pages of the whole server are nobody else's: for others they are not there.
struct AdministratorsOnly: RouterMiddleware {
    func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        guard let principal = context.principal else { return try LogInFirst.response(request) }
        guard principal.isAdministrator else { throw TakumiError(.notFound, "there is no such page") }
        return try await next(request, context)
    }
}
