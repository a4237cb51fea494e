import Catalog
import FeatureKit
import Foundation
import JobKit
import Resource
import Store
import Web

/// The body of `POST /training-templates`: one flat object, in which everything but the name may be missing.
struct TemplateCreate: Decodable, Sendable {
    private struct Own: Decodable {
        var trainingTemplateName: String?
        var description: String?
        var hyperparameterList: [JobBody.Parameter]?
        var tagList: [WireTag]?
    }

    private let own: Own
    let settings: JobSettings

    init(from decoder: any Decoder) throws {
        own = try Own(from: decoder)
        settings = JobSettings(
            job: try JobBody(from: decoder), hyperparameters: own.hyperparameterList ?? [],
            search: try SearchBody(from: decoder))
    }

    var name: String { own.trainingTemplateName ?? "" }
    var description: String? { own.description }
    var tags: [Tag] { (own.tagList ?? []).map(\.tag) }

    func validate(_ validator: inout Validator) {
        validator.name(own.trainingTemplateName, "trainingTemplateName")
        validator.length(own.description, "description", limit: Limits.description)
        validator.tags(tags)
        settings.job.validateWhatIsThere(&validator)
        JobBody.validate(settings.hyperparameters, &validator)
        _ = settings.search.checked(&validator, instances: settings.job.instanceCount?.value, isComplete: false)
    }
}

/// A template as it was given, flat.
struct TemplateWire: Encodable, Sendable {
    struct Own: Encodable, Sendable {
        var trainingTemplateId: String
        var trainingTemplateName: String
        var trainingTemplateStatusCode: String
        var description: String
        var createdDatetime: String
        var hyperparameterList: [JobBody.Parameter]
        var tagList: [WireTag]
    }

    var own: Own
    var settings: JobSettings

    init(_ template: Template) {
        let metadata = template.metadata
        own = Own(
            trainingTemplateId: template.id, trainingTemplateName: metadata.name,
            trainingTemplateStatusCode: template.status.phase.rawValue, description: metadata.description,
            createdDatetime: WireJSON.time(metadata.createdAt),
            hyperparameterList: template.spec.settings.hyperparameters, tagList: metadata.tags.map(WireTag.init))
        settings = template.spec.settings
    }

    func encode(to encoder: any Encoder) throws {
        try own.encode(to: encoder)
        try settings.job.encode(to: encoder)
        try settings.search.inOwnFields.encode(to: encoder)
    }
}

/// Templates as a kind.
struct TemplateType: ResourceType {
    let names = WireNames(kind: .template, singular: "trainingTemplate", collection: "training-templates")
    let isEditable = true
    let store: Store
    let checks: JobChecks
    var catalog: Catalog { checks.catalog }

    func draft(_ body: TemplateCreate, project: String) async throws -> Draft<TemplateSpec, TemplateStatus> {
        var validator = Validator()
        body.validate(&validator)
        let job = body.settings.job
        try validator.check()
        let image = try job.imageId.map { try checks.image($0, for: .training) }
        if let id = job.flavorId { _ = try checks.flavor(id, fitting: image) }
        return Draft(
            name: body.name, description: body.description, tags: body.tags,
            spec: TemplateSpec(settings: body.settings),
            status: TemplateStatus())
    }

    func wire(_ templates: [Template], project: String) async throws -> [TemplateWire] {
        templates.map(TemplateWire.init)
    }
}
