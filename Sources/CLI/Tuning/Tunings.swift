enum Tunings: Noun {
    typealias Filters = ExperimentFilter

    static let singular = "hyperparameterTuning"
    static let title = "hyperparameter tuning"
    static let plural = "hyperparameter tunings"
    static let path = "/hyperparameter-tunings"

    static var columns: [Column] {
        [
            nameColumn, stateColumn,
            Column("TRIALS", isNumber: true) { TuningView($0).progress },
            Column("BEST", isNumber: true) { $0["optimalTrial"]["objectiveValue"].text },
            Column("ELAPSED", isNumber: true, isOptional: true) { item in
                item["elapsedTimeSeconds"].int.map(Format.duration) ?? ""
            },
            Column("EXPERIMENT", isFlexible: true, isOptional: true) { $0["experiment"]["experimentName"].text },
            createdColumn, idColumn,
        ]
    }

    static func details(_ item: JSONValue) -> [(String, String)] {
        let view = TuningView(item)
        let best =
            [("best trial", view.bestText)] + JobDetails.hyperparameters(view.best ?? .null, title: "best values")
        let run = [("trials", view.counts), ("elapsed", view.elapsed.map(Format.duration) ?? "")]
        return head(item) + best + run + JobDetails.program(item, nodes: view.nodes) + JobDetails.search(item)
            + JobDetails.places(item) + foot(item)
    }

    /// - Returns: what the server has made of it.
    static func create(_ name: String, _ body: JobRequest, _ session: Session) async throws -> JSONValue {
        let json = body.json.with("hyperparameterTuningName", .string(name))
        return try await session.api.call(.POST, path, body: json)[singular]
    }
}

/// The trials of tunings. Their names are the tuning's alone, so that they are looked up within one.
enum Trials: Noun {
    static let singular = "trial"
    static let plural = "trials"
    static let path = "/trials"

    static var columns: [Column] {
        [
            nameColumn, stateColumn,
            Column("VALUE", isNumber: true) { $0["objectiveValue"].text },
            Column("PARAMETERS", isFlexible: true) { trial in
                (trial["hyperparameterList"].array ?? []).map {
                    "\($0["parameterName"].text)=\($0["parameterValue"].text)"
                }.joined(separator: " ")
            },
            Column("ELAPSED", isNumber: true) { elapsed($0).map(Format.duration) ?? "" },
            idColumn,
        ]
    }

    static func details(_ item: JSONValue) -> [(String, String)] {
        head(item) + [("value", item["objectiveValue"].text)] + JobDetails.hyperparameters(item)
    }

    static func isSettled(_ trial: JSONValue) -> Bool {
        TrialState(rawValue: trial["trialStatusCode"].text)?.isSettled ?? false
    }

    /// Seconds; of one that runs, by this machine's clock.
    static func elapsed(_ trial: JSONValue) -> Int? {
        guard let start = trial["startedDatetime"].string.flatMap(Timestamp.seconds) else { return nil }
        let end = trial["endedDatetime"].string.flatMap(Timestamp.seconds) ?? Timestamp.now
        return max(0, end - start)
    }

    /// The best first, and those alone that have a value to be judged by.
    static func best(_ count: Int, of trials: [JSONValue], isMinimized: Bool) -> [JSONValue] {
        let judged = trials.compactMap { trial in
            trial["objectiveValue"].double.map { (trial: trial, value: $0, number: trial["trialNumber"].int ?? 0) }
        }
        let ranked = judged.sorted { left, right in
            if left.value == right.value { return left.number < right.number }
            return isMinimized ? left.value < right.value : left.value > right.value
        }
        return ranked.prefix(count).map(\.trial)
    }

    /// The trial that is meant by its number, its name, its id, or `best`.
    static func find(_ word: String, of tuning: TuningView, _ session: Session) async throws -> JSONValue {
        if word == "best", let best = tuning.best { return best }
        let which =
            Session.isID(word) ? ("trialIdList", word.lowercased()) : ("trialNameList", Int(word).map(named) ?? word)
        let reply = try await session.api.get(path, [(Tunings.singular + "Id", tuning.id), which])
        guard let trial = list(reply).first else {
            throw CommandFailure(
                "\(Tunings.title) '\(tuning.name)' has no trial '\(word)'; see: takumi tuning trials \(tuning.id)")
        }
        return trial
    }

    /// `trial-0007`
    static func named(_ number: Int) -> String {
        let digits = String(number)
        return "trial-\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)"
    }
}
