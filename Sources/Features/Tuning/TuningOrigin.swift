import Catalog
import Resource
import ServingKit
import Store

extension TuningFeature {
    /// What a model is made from: the best trial of a tuning that is COMPLETE (H-12).
    /// - Throws: `conflict` or `invalid`, blaming the field.
    package func modelOrigin(_ key: ResourceKey, project: String, field: String) async throws -> ModelOrigin {
        guard let record = try await store.record(key, project: project) else {
            throw TakumiError.invalid(
                field, "no tuning has the id '\(key.id.excerpt)'; GET /hyperparameter-tunings lists them")
        }
        let tuning: Tuning = try record.decoded()
        guard tuning.status.phase == .complete else {
            throw TakumiError(
                .conflict,
                "tuning '\(tuning.metadata.name)' is \(tuning.status.phase.displayName); a model comes from a COMPLETE one",
                field: field)
        }
        guard let best = tuning.status.best,
            let trial: Trial = try await store.resource(ResourceKey(.trial, best.id))
        else {
            throw TakumiError(.conflict, "tuning '\(tuning.metadata.name)' has no best trial", field: field)
        }
        return ModelOrigin(
            key: key, name: tuning.metadata.name, artifact: trial.job(tuning).modelOutput,
            image: routes.type.catalog.image(id: tuning.spec.job.imageID))
    }
}
