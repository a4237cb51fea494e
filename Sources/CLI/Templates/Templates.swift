enum Templates: Noun {
    static let singular = "trainingTemplate"
    static let title = "template"
    static let plural = "templates"
    static let path = "/training-templates"

    static var columns: [Column] {
        [
            nameColumn,
            Column("HYPERPARAMETERS", isFlexible: true) { hyperparameters($0).joined(separator: ", ") },
            Column("IMAGE", isFlexible: true, isOptional: true) { $0["image"]["imageName"].text },
            Column("INSTANCE", isOptional: true) { item in
                JobDetails.instance(item, nodes: item["instanceCount"].int ?? 1)
            },
            createdColumn, idColumn,
        ]
    }

    /// The names of those with a value, and of those to search.
    static func hyperparameters(_ item: JSONValue) -> [String] {
        (item["hyperparameterList"].array ?? []).map { $0["parameterName"].text }
            + (item["hyperparameterSpecList"].array ?? []).map { $0["hyperparameterName"].text }
    }

    static func details(_ item: JSONValue) -> [(String, String)] {
        let nodes = (item["instanceCount"].int ?? 1) / max(1, item["parallelTrialCount"].int ?? 1)
        // It is there or it is not: its state says nothing.
        let about = head(item).filter { $0.0 != "state" }
        return about + JobDetails.program(item, nodes: nodes) + JobDetails.hyperparameters(item)
            + JobDetails.search(item) + JobDetails.places(item) + foot(item)
    }

    /// A template only has ids of its image, its instance type and its experiment.
    static func readable(_ items: [JSONValue], _ session: Session) async throws -> [JSONValue] {
        guard !items.isEmpty else { return [] }
        let images = try await session.api.get("/images", [("groupTypeCodeList", "TRAINING")])["imageList"]
        let flavors = try await session.api.get("/flavors")["flavorList"]
        let ids = Set(items.compactMap { $0["experimentId"].string }).sorted()
        var experiments = JSONValue.null
        if !ids.isEmpty {
            let query = ids.map { ("experimentIdList", $0) }
            experiments = try await session.api.get(Experiments.path, query)["experimentList"]
        }
        return items.map { item in
            var shown = item
            // A name without an id is of an experiment that is made when it is needed.
            if !item["experimentName"].isNull {
                shown = shown.with("experiment", .object(["experimentName": item["experimentName"]]))
            }
            named(&shown, "experiment", item["experimentId"], in: experiments, "experimentId", "experimentName")
            named(&shown, "image", item["imageId"], in: images, "imageId", "imageName")
            named(&shown, "flavor", item["flavorId"], in: flavors, "id", "name")
            return shown
        }
    }

    /// Puts the one of the wanted id in `field`. What is no more goes by its id.
    private static func named(
        _ item: inout JSONValue, _ field: String, _ wanted: JSONValue, in list: JSONValue, _ id: String, _ name: String
    ) {
        guard !wanted.isNull else { return }
        let found = (list.array ?? []).first { $0[id] == wanted }
        item = item.with(field, found ?? .object([id: wanted, name: wanted]))
    }
}
