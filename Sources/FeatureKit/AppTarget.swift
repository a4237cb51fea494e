import Foundation

/// Path and query of a request, from which single items of the query can be taken; the rest stays as it was sent.
struct AppTarget {
    let path: Substring
    private var items: [Substring]?

    init(_ target: String) {
        path = target.prefix { $0 != "?" }
        items =
            path.endIndex == target.endIndex
            ? nil
            : target[target.index(after: path.endIndex)...].split(separator: "&", omittingEmptySubsequences: false)
    }

    var text: String { items.map { "\(path)?\($0.joined(separator: "&"))" } ?? String(path) }

    /// The parts of the path, decoded.
    var parts: [String] { path.split(separator: "/").map { $0.removingPercentEncoding ?? String($0) } }

    /// Takes out all items of a name, if their values fit.
    /// - Returns: The value of the last, decoded.
    mutating func take(_ name: String, where fits: (String) -> Bool = { _ in true }) -> String? {
        var taken: String?
        items?.removeAll { item in
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, pair[0] == name, let value = pair[1].removingPercentEncoding, fits(value) else {
                return false
            }
            taken = value
            return true
        }
        if taken != nil, items?.isEmpty == true { items = nil }
        return taken
    }
}
