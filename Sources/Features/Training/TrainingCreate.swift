import FeatureKit
import Foundation
import JobKit
import Resource

/// The body of `POST /trainings`, as the vendor's SDK sends it.
struct TrainingCreate: Decodable, Sendable {
    private struct Own: Decodable {
        var trainingName: String?
        var description: String?
        var hyperparameterList: [JobBody.Parameter]?
        var trainingTypeCode: String?
        var tagList: [WireTag]?
    }

    private let own: Own
    let job: JobBody

    init(from decoder: any Decoder) throws {
        own = try Own(from: decoder)
        job = try JobBody(from: decoder)
    }

    var name: String { own.trainingName ?? "" }
    var description: String? { own.description }
    var tags: [Tag] { (own.tagList ?? []).map(\.tag) }
    var hyperparameters: [JobParameter] {
        (own.hyperparameterList ?? []).map {
            JobParameter(name: $0.parameterName ?? "", value: $0.parameterValue ?? "")
        }
    }

    /// Everything that can be checked without looking at anything else.
    func validate(_ validator: inout Validator) {
        validator.name(own.trainingName, "trainingName")
        validator.length(own.description, "description", limit: Limits.description)
        validator.tags(tags)
        let type = own.trainingTypeCode
        validator.require(
            type == nil || type == "NORMAL", "trainingTypeCode", "'\((type ?? "").excerpt)' is not known; use NORMAL")
        job.validate(&validator)
        JobBody.validate(own.hyperparameterList ?? [], &validator)
    }
}
