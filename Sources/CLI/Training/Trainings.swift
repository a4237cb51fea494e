import ArgumentParser

enum Trainings: Noun {
    typealias Filters = TrainingFilters

    static let singular = "training"
    static let plural = "trainings"
    static let path = "/trainings"

    static var columns: [Column] {
        [
            nameColumn, stateColumn,
            Column("ELAPSED", isNumber: true) { item in
                item["elapsedTimeSeconds"].int.map(Format.duration) ?? ""
            },
            Column("EXPERIMENT", isFlexible: true, isOptional: true) { $0["experiment"]["experimentName"].text },
            Column("INSTANCE", isOptional: true) { item in
                let nodes = item["instanceCount"].int ?? 1
                return nodes > 1 ? "\(nodes) × \(item["flavor"]["name"].text)" : item["flavor"]["name"].text
            },
            createdColumn, idColumn,
        ]
    }

    static func details(_ item: JSONValue) -> [(String, String)] {
        let view = TrainingView(item)
        let nodes = view.nodes > 1 ? "\(view.nodes) × " : ""
        let processes = item["nprocPerNode"].int ?? 1
        return head(item) + [
            ("exit code", item["exitCode"].text),
            ("elapsed", view.elapsed.map(Format.duration) ?? ""),
            ("experiment", item["experiment"]["experimentName"].text),
            ("image", item["image"]["imageName"].text),
            ("instance", "\(nodes)\(item["flavor"]["name"].text)"),
            (
                "torchrun",
                item["useTorchrun"].bool == true ? Format.count(processes, "process", "processes") + " a node" : ""
            ),
            ("source", item["sourceDirUri"].text),
            ("entry point", item["entryPoint"].text),
        ]
            + pairs(item, "hyperparameterList", "parameterName", "parameterValue", title: "hyperparameters")
            + pairs(item, "datasetList", "datasetName", "dataUri", title: "data")
            + [
                ("checkpoint input", item["checkPointInputUri"].text),
                ("checkpoint output", item["checkPointUploadUri"].text),
                ("model output", item["modelUploadUri"].text),
                ("time limit", item["timeoutMinutes"].int.map { Format.duration($0 * 60) } ?? ""),
                ("tensorboard", view.tensorboard ?? ""),
            ] + foot(item)
    }

    /// A line for each, the title before the first.
    private static func pairs(
        _ item: JSONValue, _ list: String, _ key: String, _ value: String, title: String
    ) -> [(String, String)] {
        (item[list].array ?? []).enumerated().map { index, pair in
            (index == 0 ? title : "", "\(pair[key].text) = \(pair[value].text)")
        }
    }
}

struct TrainingFilters: ListFilters {
    @Option(help: "Only those of this experiment, by name or id.")
    var experiment: String?

    func query(_ session: Session) async throws -> [(String, String)] {
        guard let experiment else { return [] }
        let found = try await session.find(Experiments.self, experiment)
        return [("experimentId", Experiments.id(found))]
    }
}
