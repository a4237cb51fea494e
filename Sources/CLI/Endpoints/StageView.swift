/// What a command needs to know of a stage.
struct StageView: Equatable, Sendable {
    var json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    var id: String { Stages.id(json) }
    var name: String { Stages.name(json) }
    var code: String { json["endpointStageStatusCode"].text }
    var isDefault: Bool { json["isDefaultStage"].bool ?? false }
    var isSettled: Bool { ServingState.isSettled(code) }
    var hasFailed: Bool { ServingState.hasFailed(code) }
    var reason: String? { json["statusReason"].string.flatMap { $0.isEmpty ? nil : $0 } }
    /// As `reason`, where it is not only that of something that it serves.
    var ownReason: String? {
        reason.flatMap { reason in
            resources.contains { $0.reason.map(reason.contains) ?? false } ? nil : reason
        }
    }
    var hasKeys: Bool { json["hasApiKey"].bool ?? false }
    var url: String { "https://\(json["apigwStageUrl"].text)" }
    var resources: [StageModel] { (json["endpointModelList"].array ?? []).map(StageModel.init) }

    /// The pods of all that it serves, in the order that numbers them.
    var pods: [(resource: StageModel, pod: JSONValue)] {
        resources.flatMap { resource in (resource.json["podList"].array ?? []).map { (resource, $0) } }
    }

    /// The stage as if it had these only.
    func showing(_ resources: [StageModel]) -> StageView {
        StageView(json.with("endpointModelList", .array(resources.map(\.json))))
    }

    /// The resources at the address of that name, or of that model's name or id, or the one of that id; all for nil.
    /// - Throws: `CommandFailure` where there is none.
    func resources(_ word: String?) throws(CommandFailure) -> [StageModel] {
        guard let word else { return resources }
        let (id, address) = (word.lowercased(), "/\(Percent.encode(word))")
        // A model that was given another name may have two addresses, and those of its name are meant first.
        let exact = resources.filter { $0.address == address || $0.id == id }
        let found = exact.isEmpty ? resources.filter { $0.model == word || $0.modelID == id } : exact
        guard found.isEmpty else { return found }
        let known = Nearest.options(to: word, among: resources.map(\.model)).map { "'\($0)'" }.joined(separator: ", ")
        throw CommandFailure(
            "stage '\(name)' has no model '\(word)'; \(known.isEmpty ? "it has none" : "it has \(known)")")
    }

    /// The one that is meant.
    /// - Parameter option: how to name one: `--model`.
    /// - Throws: `CommandFailure` where there are several, with their ids.
    func resource(_ word: String?, option: String) throws(CommandFailure) -> StageModel {
        let found = try resources(word)
        if let only = found.first, found.count == 1 { return only }
        guard !found.isEmpty else { throw CommandFailure("stage '\(name)' serves nothing") }
        let rows = found.map { "  \($0.id)  \($0.model)  \($0.stateText)" }.joined(separator: "\n")
        let several = word.map { "\(found.count) resources of model '\($0)'" } ?? "\(found.count) resources"
        throw CommandFailure("stage '\(name)' has \(several); name one with \(option), by its id here:\n\(rows)")
    }
}
