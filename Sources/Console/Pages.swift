import Foundation
import Hummingbird
import Identity
import Resource
import Web

/// What every page is made with.
package struct Pages: Sendable {
    package let menu: [MenuEntry]
    /// What the addresses of each kind's pages begin with: `trainings`.
    package let collections: [ResourceKind: String]
    package let related: [RelatedTab]
    package let dashboard: [@Sendable (Page) async throws -> DashboardPart]
    package let directory: Directory
    package let live: LiveHub
    private let fixed: Renderer
    private let folder: String?

    /// - Parameter folder: where `Console/` is read from at every request, for work on the console itself.
    /// - Throws: where a template or a table of strings is not as it should be.
    package init(
        menu: [MenuEntry], collections: [ResourceKind: String], related: [RelatedTab] = [],
        dashboard: [@Sendable (Page) async throws -> DashboardPart] = [], directory: Directory, live: LiveHub,
        folder: String? = nil
    ) throws {
        self.menu = menu.sorted { $0.rank < $1.rank }
        self.collections = collections
        self.related = related
        self.dashboard = dashboard
        self.directory = directory
        self.live = live
        self.folder = folder
        fixed = try Renderer(files: ConsoleFiles(folder: folder))
    }

    package var renderer: Renderer {
        guard let folder else { return fixed }
        return (try? Renderer(files: ConsoleFiles(folder: folder))) ?? fixed
    }

    /// The page of a request that `ConsoleBrowser` has let through.
    package func page(_ request: Request, _ context: TakumiContext) throws -> Page {
        guard let browser = context.browser else { throw TakumiError(.failed, "not a route of the console") }
        return Page(
            pages: self, renderer: renderer, browser: browser, principal: context.principal,
            project: context.parameters.get("appKey"), request: request)
    }
}
