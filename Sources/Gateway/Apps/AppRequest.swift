/// One request's head at the door of users' programs.
package struct AppRequest: Sendable {
    package var method: String
    /// Path and query as they were sent.
    package var target: String
    package var headers: [(name: String, value: String)]
    package var isTLS: Bool
    /// Whether it wants a WebSocket.
    package var isUpgrade: Bool

    package init(
        method: String = "GET", target: String, headers: [(name: String, value: String)] = [], isTLS: Bool = true,
        isUpgrade: Bool = false
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.isTLS = isTLS
        self.isUpgrade = isUpgrade
    }

    /// The target up to the question mark, as it was sent.
    package var path: Substring { target.prefix { $0 != "?" } }

    /// What follows the question mark; nil without one.
    package var query: Substring? {
        target.firstIndex(of: "?").map { target[target.index(after: $0)...] }
    }

    /// The first header of a name, in whatever case.
    package func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }

    /// The first cookie of a name.
    package func cookie(_ name: String) -> String? {
        for header in headers where header.name.lowercased() == "cookie" {
            for pair in header.value.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2, parts[0].drop(while: { $0 == " " }) == name { return String(parts[1]) }
            }
        }
        return nil
    }

    /// True for methods that only look.
    package var isSafe: Bool { method == "GET" || method == "HEAD" }

    /// A browser that shows the answer to somebody.
    package var wantsPage: Bool { header("Accept")?.contains("text/html") ?? false }
}
