import HTTPTypes
import Hummingbird
import Resource
import Storage

/// A request taken apart: whose account, which container, which object, and the query. Names are decoded exactly once from
/// the path as it came over the wire, since `%2F`, `//` and `..` are ordinary parts of an object's name.
struct SwiftCall: Sendable {
    static let largestManifest = 8 << 20

    let request: Request
    let tenant: String
    let container: String?
    let object: String?
    private let query: [String: String]

    init(_ request: Request) throws {
        self.request = request
        let target = request.head.path ?? ""
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = halves.first ?? ""
        let parts = path.dropFirst("/v1/AUTH_".count).split(
            separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        tenant = try Self.decoded(parts.first ?? "")
        container = try parts.count > 1 && !parts[1].isEmpty ? Self.decoded(parts[1]) : nil
        object = try parts.count > 2 && !parts[2].isEmpty ? Self.decoded(parts[2]) : nil
        if container == nil && parts.count > 2 { throw TakumiError.invalid("path", "the container's name is empty") }
        query = try Self.query(halves.count > 1 ? halves[1] : "")
    }

    /// A parameter of the query; nil where it is not given. One without a value is an empty text.
    subscript(_ name: String) -> String? { query[name] }

    /// - Throws: `.invalid` where the names that a listing is asked for are none.
    func listQuery() throws -> ListQuery {
        var limit = ListQuery.pageSize
        if let text = query["limit"], !text.isEmpty {
            guard let value = Int(text), value >= 0 else {
                throw Self.unprocessable("limit", "'\(text.excerpt)' is no number")
            }
            guard value <= ListQuery.pageSize else {
                throw Self.unprocessable(
                    "limit", "\(value) is too many; at most \(ListQuery.pageSize) are listed at once")
            }
            limit = value
        }
        var prefix = query["prefix"] ?? ""
        var delimiter = query["delimiter"] ?? ""
        // An older spelling of "what lies right in this folder".
        if let path = query["path"] {
            prefix = path.isEmpty || path.hasSuffix("/") ? path : path + "/"
            delimiter = "/"
        }
        if query["reverse"].map(Self.isTrue) == true {
            throw TakumiError.invalid("reverse", "listings backwards are not supported")
        }
        return ListQuery(
            prefix: prefix, marker: query["marker"] ?? "", endMarker: query["end_marker"] ?? "", delimiter: delimiter,
            limit: limit)
    }

    var wantsJSON: Bool {
        if let format = query["format"], !format.isEmpty { return format.lowercased() == "json" }
        return request.headers[.accept].map { $0.lowercased().hasPrefix("application/json") } ?? false
    }

    /// Whether the manifest itself is meant.
    var isManifestCall: Bool { query["multipart-manifest"] == "get" }

    /// A condition that is not met: 412.
    static func unprocessable(_ field: String, _ message: String) -> TakumiError {
        .invalid("412 \(field)", message)
    }

    static func isTrue(_ text: String) -> Bool { ["true", "1", "yes", "on", "t", "y"].contains(text.lowercased()) }

    static func decoded(_ text: some StringProtocol) throws -> String {
        guard let name = PercentEncoding.decode(text), !name.utf8.contains(0) else {
            throw unprocessable("path", "a name is not UTF-8, or has a NUL")
        }
        return name
    }

    private static func query(_ text: Substring) throws -> [String: String] {
        var pairs: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = halves.count > 1 ? String(halves[1]) : ""
            pairs[try decoded(halves[0])] = try decoded(String(value.map { $0 == "+" ? " " : $0 }))
        }
        return pairs
    }
}

extension HTTPFields {
    /// A field by its name in any case.
    subscript(_ name: String) -> String? {
        get { HTTPField.Name(name).flatMap { self[$0] } }
        set {
            guard let name = HTTPField.Name(name) else { return }
            self[name] = newValue
        }
    }
}
