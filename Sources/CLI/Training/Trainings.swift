enum Trainings: Noun {
    typealias Filters = ExperimentFilter

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
                JobDetails.instance(item, nodes: item["instanceCount"].int ?? 1)
            },
            createdColumn, idColumn,
        ]
    }

    static func details(_ item: JSONValue) -> [(String, String)] {
        let view = TrainingView(item)
        return head(item) + [
            ("exit code", item["exitCode"].text),
            ("elapsed", view.elapsed.map(Format.duration) ?? ""),
        ] + JobDetails.program(item, nodes: view.nodes) + JobDetails.hyperparameters(item) + JobDetails.places(item)
            + foot(item)
    }
}
