import Resource

/// What a command needs to know of an endpoint.
struct EndpointView: Equatable, Sendable {
    var json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    var id: String { Endpoints.id(json) }
    var name: String { Endpoints.name(json) }
    var code: String { json["endpointStatusCode"].text }
    var isSettled: Bool { ServingState.isSettled(code) }
    var hasFailed: Bool { ServingState.hasFailed(code) }
    /// Why it is as it is.
    var reason: String? { json["statusReason"].string.flatMap { $0.isEmpty ? nil : $0 } }
    /// The default one first.
    var stages: [StageView] {
        let all = (json["endpointStageList"].array ?? []).map(StageView.init)
        return all.filter(\.isDefault) + all.filter { !$0.isDefault }
    }

    /// The stage of that name or id; the default one for nil.
    /// - Throws: `CommandFailure` with the names that there are.
    func stage(_ word: String?) throws(CommandFailure) -> StageView {
        let found = stages.filter { stage in
            word.map { stage.name == $0 || stage.id == $0.lowercased() } ?? stage.isDefault
        }
        if let only = found.first { return only }
        guard let word else { throw CommandFailure("endpoint '\(name)' has no default stage; name one with --stage") }
        let known = Nearest.options(to: word, among: stages.map(\.name)).map { "'\($0)'" }.joined(separator: ", ")
        throw CommandFailure("endpoint '\(name)' has no stage '\(word)'; it has \(known)")
    }

    /// The name of the stage of that id, for people to read.
    func stageName(_ id: String) -> String { stages.first { $0.id == id }?.name ?? id }
}
