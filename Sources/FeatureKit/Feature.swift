import Console
import Control
import Foundation
import Hummingbird
import Resource
import ServiceLifecycle
import Store
import Web

/// A feature: what the composition root sees of one folder under `Features`.
package protocol Feature: Sendable {
    /// What brings its resources to their specs.
    var reconcilers: [any Reconciler] { get }
    /// What else runs as long as the server does.
    var services: [any Service] { get }
    /// Adds routes below `/v1.0/appkeys/{appKey}`, where the caller is already known to have access.
    func addProjectRoutes(to group: RouterGroup<TakumiContext>)
    /// Its entries in the console's menu.
    var menu: [MenuEntry] { get }
    /// Kinds that have pages, and what the addresses of these begin with.
    var collections: [ResourceKind: String] { get }
    /// Tabs that it adds to the details of other kinds.
    var relatedTabs: [RelatedTab] { get }
    /// What it has to say on a project's dashboard; nil for nothing.
    var dashboard: (@Sendable (Page) async throws -> DashboardPart)? { get }
    /// Adds pages below `/projects/{appKey}`, where the user is already known to have access.
    func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages)
    /// Adds pages of the whole server, which do their own checks.
    func addSitePages(to group: RouterGroup<TakumiContext>, _ pages: Pages)
    /// Adds routes at the root, which do their own checks.
    func addRootRoutes(to router: Router<TakumiContext>)
    /// Users' programs, on their own listener.
    var apps: [any ProxiedApp] { get }
    /// Describes its routes for `/openapi.json`.
    var api: APIDescription { get }
}

extension Feature {
    package var reconcilers: [any Reconciler] { [] }
    package var services: [any Service] { [] }
    package func addProjectRoutes(to group: RouterGroup<TakumiContext>) {}
    package var menu: [MenuEntry] { [] }
    package var collections: [ResourceKind: String] { [:] }
    package var relatedTabs: [RelatedTab] { [] }
    package var dashboard: (@Sendable (Page) async throws -> DashboardPart)? { nil }
    package func addPages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {}
    package func addSitePages(to group: RouterGroup<TakumiContext>, _ pages: Pages) {}
    package var apps: [any ProxiedApp] { [] }
    package func addRootRoutes(to router: Router<TakumiContext>) {}
    package var api: APIDescription { APIDescription() }
}

/// Time and identity, handed in so that tests can hold them still.
package struct ClockAndIDs: Sendable {
    package var now: @Sendable () -> Date
    package var newID: @Sendable () -> String

    package init(
        now: @escaping @Sendable () -> Date = { Date() },
        newID: @escaping @Sendable () -> String = { UUID().uuidString.lowercased() }
    ) {
        self.now = now
        self.newID = newID
    }
}
