import ArgumentParser

/// Narrows a list of models down to those of one origin.
struct ModelFilter: ListFilters {
    @Option(help: "Only those of this training, by name or id.")
    var training: String?

    @Option(help: "Only those of this hyperparameter tuning, by name or id.")
    var tuning: String?

    func validate() throws {
        if training != nil, tuning != nil {
            throw ValidationError("--training and --tuning exclude each other; give one of them")
        }
    }

    func query(_ session: Session) async throws -> [(String, String)] {
        if let training {
            return [("trainingId", Trainings.id(try await session.find(Trainings.self, training)))]
        }
        guard let tuning else { return [] }
        return [("hyperparameterTuningId", Tunings.id(try await session.find(Tunings.self, tuning)))]
    }
}
