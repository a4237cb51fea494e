import ArgumentParser

/// Narrows a list of what is done for experiments.
struct ExperimentFilter: ListFilters {
    @Option(help: "Only those of this experiment, by name or id.")
    var experiment: String?

    func query(_ session: Session) async throws -> [(String, String)] {
        guard let experiment else { return [] }
        let found = try await session.find(Experiments.self, experiment)
        return [("experimentId", Experiments.id(found))]
    }
}
