import FeatureKit
import JobKit
import Resource

/// The body of `POST /hyperparameter-tunings`: one flat object.
struct TuningCreate: Decodable, Sendable {
    private struct Own: Decodable {
        var hyperparameterTuningName: String?
        var description: String?
        var tagList: [WireTag]?
    }

    private let own: Own
    let job: JobBody
    let search: SearchBody

    init(from decoder: any Decoder) throws {
        own = try Own(from: decoder)
        job = try JobBody(from: decoder)
        search = try SearchBody(from: decoder)
    }

    var name: String { own.hyperparameterTuningName ?? "" }
    var description: String? { own.description }
    var tags: [Tag] { (own.tagList ?? []).map(\.tag) }
    /// Of one trial: the instances are nodes × parallel trials (H-4).
    var nodes: Int { (job.instanceCount?.value ?? search.parallelTrials) / max(1, search.parallelTrials) }

    func validated() throws -> SearchBody.Checked {
        var validator = Validator()
        validator.name(own.hyperparameterTuningName, "hyperparameterTuningName")
        validator.length(own.description, "description", limit: Limits.description)
        validator.tags(tags)
        job.validate(&validator)
        let checked = search.checked(&validator, instances: job.instanceCount?.value, isComplete: true)
        try validator.check()
        return checked
    }
}
