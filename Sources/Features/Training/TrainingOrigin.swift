import Catalog
import Resource
import ServingKit
import Store

extension TrainingFeature {
    /// What a model is made from: a training that is COMPLETE (T-10).
    /// - Throws: `conflict` or `invalid`, blaming the field.
    package func modelOrigin(_ key: ResourceKey, project: String, field: String) async throws -> ModelOrigin {
        guard let record = try await store.record(key, project: project) else {
            throw TakumiError.invalid(field, "no training has the id '\(key.id.excerpt)'; GET /trainings lists them")
        }
        let training: Training = try record.decoded()
        guard training.status.phase == .complete else {
            throw TakumiError(
                .conflict,
                "training '\(training.metadata.name)' is \(training.status.phase.displayName); a model comes from a COMPLETE one",
                field: field)
        }
        return ModelOrigin(
            key: key, name: training.metadata.name, artifact: training.spec.job.modelOutput,
            image: routes.type.catalog.image(id: training.spec.job.imageID))
    }
}
