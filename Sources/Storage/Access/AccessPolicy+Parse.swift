import Resource

extension AccessPolicy {
    /// - Parameters:
    ///   - read: the value of `X-Container-Read`.
    ///   - write: the value of `X-Container-Write`.
    /// - Throws: `.invalid` with the header's name and the element that is wrong.
    package init(read: String, write: String) throws {
        self.init(
            read: try ACL(read, header: "X-Container-Read", forWriting: false),
            write: try ACL(write, header: "X-Container-Write", forWriting: true))
    }
}

/// One of the two headers, parsed. An element that is not understood is refused rather than kept: a policy that looks set
/// and does nothing is worse than an error.
struct ACL: Sendable, Equatable {
    private(set) var grants: [AccessPolicy.Grant] = []
    private(set) var isPublic = false
    private(set) var allowsListing = false
    private(set) var text = ""

    init() {}

    init(_ value: String, header: String, forWriting: Bool) throws {
        var elements: [String] = []
        for part in value.split(separator: ",") {
            let element = part.trimmingSpaces
            if element.isEmpty { continue }
            elements.append(try add(element, header: header, forWriting: forWriting))
        }
        text = elements.joined(separator: ",")
    }

    /// - Returns: the element in its shortest spelling.
    private mutating func add(_ element: String, header: String, forWriting: Bool) throws -> String {
        if element.hasPrefix(".") {
            if forWriting { throw refusal(element, header, "'.r' elements cannot give the right to write") }
            return try addReferrer(element, header: header)
        }
        let parts = element.split(separator: ":", omittingEmptySubsequences: false).map(\.trimmingSpaces)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && !$0.contains(where: \.isWhitespace) }) else {
            throw refusal(element, header, "use tenant:user, tenant:* or *:user")
        }
        grants.append(AccessPolicy.Grant(tenant: parts[0], user: parts[1]))
        return "\(parts[0]):\(parts[1])"
    }

    private mutating func addReferrer(_ element: String, header: String) throws -> String {
        if element == ".rlistings" {
            allowsListing = true
            return element
        }
        let parts = element.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(\.trimmingSpaces)
        guard parts.count == 2, [".r", ".ref", ".referer", ".referrer"].contains(parts[0]) else {
            throw refusal(element, header, "use .r:* or .rlistings")
        }
        // The Referer header is whatever the client says, so it protects nothing.
        guard parts[1] == "*" else { throw refusal(element, header, "of the referrer elements only .r:* is supported") }
        isPublic = true
        return ".r:*"
    }

    private func refusal(_ element: String, _ header: String, _ remedy: String) -> TakumiError {
        .invalid(header, "'\(element.excerpt)' is not an access element; \(remedy)")
    }
}

extension StringProtocol {
    /// Without the spaces and tabs around it.
    var trimmingSpaces: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
