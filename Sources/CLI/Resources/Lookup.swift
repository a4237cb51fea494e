import Resource

extension Session {
    /// The resource of that name or id.
    /// - Throws: `CommandFailure` where there is none or, by name, more than one; the ids are in its message.
    func find<N: Noun>(_ noun: N.Type, _ nameOrID: String) async throws -> JSONValue {
        if Self.isID(nameOrID) {
            do {
                return N.single(try await api.get("\(N.path)/\(nameOrID.lowercased())"), else: .null)
            } catch let errors as ValidationErrors where errors.isNotFound {
                throw CommandFailure("there is no \(N.title) with the id \(nameOrID) in project '\(project)'")
            }
        }
        let named = N.list(try await api.get(N.path, [(N.singular + "NameList", nameOrID)]))
        let found = named.filter { N.name($0) == nameOrID }
        if found.count > 1 { throw Self.ambiguous(noun, nameOrID, found) }
        guard let only = found.first else { throw try await unknown(noun, nameOrID) }
        return only
    }

    /// As `find`, by its own route: a list may show less of it.
    func read<N: Noun>(_ noun: N.Type, _ nameOrID: String) async throws -> JSONValue {
        let found = try await find(noun, nameOrID)
        return N.single(try await api.get("\(N.path)/\(N.id(found))"), else: found)
    }

    var project: String { api.connection.project }

    static func isID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { $0.allSatisfy(\.isHexDigit) }
    }

    static func ambiguous<N: Noun>(_ noun: N.Type, _ name: String, _ found: [JSONValue]) -> CommandFailure {
        let rows = found.map { "  \(N.id($0))  \(N.state($0))  \(Timestamp.local($0["createdDatetime"].string))" }
        return CommandFailure([
            "\(found.count) \(N.plural) are named '\(name)'; use the id of one:\n" + rows.joined(separator: "\n")
        ])
    }

    private func unknown<N: Noun>(_ noun: N.Type, _ name: String) async throws -> CommandFailure {
        let known = N.list(try await api.get(N.path, [("limit", "200")])).map { N.name($0) }
        let start = "there is no \(N.title) named '\(name)' in project '\(project)'"
        guard !known.isEmpty else { return CommandFailure("\(start), which has no \(N.plural)") }
        let near = Nearest.options(to: name, among: known, limit: 3).map { "'\($0)'" }.joined(separator: ", ")
        return CommandFailure("\(start); the nearest: \(near)")
    }
}
