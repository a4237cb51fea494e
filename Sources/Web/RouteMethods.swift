import HTTPTypes
import Hummingbird
import Synchronization

/// Which methods each path has: a router only knows whether one path has one method.
package final class RouteMethods: Sendable {
    private let routes = Mutex<[(path: [RouterPath.Element], method: HTTPRequest.Method)]>([])

    package init() {}

    /// Called when all routes are there.
    package func read(_ router: Router<TakumiContext>) {
        let found = router.routes.map { (path: $0.path.components, method: $0.method) }
        routes.withLock { $0 = found }
    }

    /// Sorted by name; empty where there is no such path.
    package func allowed(at path: String) -> [String] {
        let parts = path.split(separator: "/")
        var found = routes.withLock { routes in
            Set(routes.filter { RouteMethods.matches(parts, $0.path) }.map(\.method.rawValue))
        }
        if found.contains("GET") { found.insert("HEAD") }
        return found.sorted()
    }

    /// Whether the path is there, but not with this method.
    func excludes(_ request: Request) -> Bool {
        let allowed = allowed(at: request.uri.path)
        return !allowed.isEmpty && !allowed.contains(request.method.rawValue)
    }

    private static func matches(_ parts: [Substring], _ path: [RouterPath.Element]) -> Bool {
        let isOpen = path.last == .recursiveWildcard
        guard isOpen ? parts.count >= path.count : parts.count == path.count else { return false }
        return zip(path, parts).allSatisfy { $0 ~= $1 }
    }
}
