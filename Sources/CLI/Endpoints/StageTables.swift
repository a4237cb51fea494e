/// What stages serve, below the details of an endpoint or of a stage.
enum StageTables {
    /// - Parameter session: with its output for people; for programs, all of it is in the object already.
    static func print(_ stages: [StageView], _ session: Session) throws {
        let rows = stages.flatMap { stage in
            stage.resources.map { JSONValue.object(["stage": .string(stage.name), "of": $0.json]) }
        }
        guard session.format == .table, !rows.isEmpty else { return }
        session.console.out("")
        try session.print(rows, columns: columns(withStage: stages.count > 1), none: "")
        // The reason of the first one is that of the stage, which is in the details.
        for stage in stages {
            for resource in stage.resources {
                guard let reason = resource.reason, stage.reason?.contains(reason) != true else { continue }
                session.console.note("\(resource.model) on stage '\(stage.name)': \(reason)")
            }
        }
    }

    private static func columns(withStage: Bool) -> [Column] {
        let stage = Column("STAGE", isFlexible: true) { $0["stage"].text }
        return (withStage ? [stage] : []) + [
            Column("MODEL", isFlexible: true) { StageModel($0["of"]).model },
            Column("STATE") { StageModel($0["of"]).stateText },
            Column("PODS", isNumber: true) { StageModel($0["of"]).pods },
            Column("EACH") { StageModel($0["of"]).allotment },
            Column("SCALING", isOptional: true) { StageModel($0["of"]).scaling },
            Column("URL", isOptional: true) { StageModel($0["of"]).url ?? "" },
            Column("ID") { StageModel($0["of"]).id },
        ]
    }

    /// The pods of a stage, by the numbers that `takumi endpoint logs` takes.
    static func printPods(_ stage: StageView, _ session: Session) throws {
        let rows = stage.pods.enumerated().map { number, item in
            item.pod.with("model", .string(item.resource.model)).with("number", .int(Int64(number)))
        }
        guard session.format == .table, !rows.isEmpty else { return }
        session.console.out("")
        try session.print(
            rows,
            columns: [
                Column("POD", isNumber: true) { $0["number"].text },
                Column("MODEL", isFlexible: true) { $0["model"].text },
                Column("STATE") { $0["podStatusCode"].text },
                Column("INSTANCE", isNumber: true) { $0["nodeNumber"].text },
                Column("CREATED", isOptional: true) { Timestamp.local($0["createdDatetime"].string) },
                Column("GRPC", isOptional: true) { $0["grpcAddress"].text },
                Column("ID") { $0["podId"].text },
            ], none: "")
    }
}
