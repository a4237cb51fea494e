import FeatureKit
import Foundation
import JobKit
import Resource
import ServingKit
import Store
import Web

/// Finds what a model can be made from.
/// - Throws: `conflict` or `invalid`, blaming the field, where it is not there or has not ended well.
package typealias ModelOrigins =
    @Sendable (_ key: ResourceKey, _ project: String, _ field: String) async throws ->
    ModelOrigin

/// Models as a kind: how a request becomes a spec, and a resource its wire form.
struct ModelType: ResourceType {
    let names = WireNames(kind: .model, singular: "model", collection: "models")
    let embeds = [ResourceKind("training"), ResourceKind("hyperparameterTuning")]
    let store: Store
    let storage: any StorageChecks
    let origins: ModelOrigins
    /// Where a model is served, in words.
    let places: @Sendable (ResourceKey) async throws -> [String]

    func draft(_ body: ModelCreate, project: String) async throws -> Draft<ModelSpec, ModelStatus> {
        var validator = Validator()
        body.validate(&validator)
        try validator.check()
        var origin: ModelOrigin?
        if let (key, field) = body.origin { origin = try await origins(key, project, field) }
        let given = body.modelUploadUri.flatMap { $0.isEmpty ? nil : $0 }
        if let given { try await storage.checkReadable(given, project: project, field: "modelUploadUri") }
        guard let format = body.modelFormatCode.flatMap(ModelFormat.init(rawValue:)) ?? origin?.format else {
            throw TakumiError.invalid("modelFormatCode", "is required")
        }
        let spec = ModelSpec(
            format: format, frameworkVersion: body.frameworkVersion ?? origin?.version,
            artifact: origin?.artifact ?? given, parameters: body.parameters, origin: origin)
        return Draft(
            name: body.modelName ?? "", description: body.description, tags: body.tags, spec: spec,
            status: ModelStatus())
    }

    func wire(_ models: [Model], project: String) async throws -> [ModelWire] { models.map(ModelWire.init) }

    func checkDelete(_ model: Model) async throws {
        guard model.status.phase.isSettled else {
            throw TakumiError(
                .conflict, "model \(model.id) is \(model.status.phase.displayName); delete it when it is ACTIVE")
        }
        let places = try await places(model.key)
        guard places.isEmpty else {
            throw TakumiError(
                .conflict,
                "model '\(model.metadata.name)' is served by \(places.joined(separator: ", ")); delete that first")
        }
    }
}

/// A model as the vendor's SDK reads it.
package struct ModelWire: Encodable, Sendable {
    struct Training: Encodable, Sendable {
        var trainingId: String
        var trainingName: String
        var trainingStatusCode = "COMPLETE"
    }

    struct Tuning: Encodable, Sendable {
        var hyperparameterTuningId: String
        var hyperparameterTuningName: String
        var hyperparameterTuningStatusCode = "COMPLETE"
    }

    var modelId: String
    var modelName: String
    var modelStatusCode: String
    var statusReason: String?
    var description: String
    var appKey: String
    var createdDatetime: String
    var modelFormatCode: String
    var frameworkVersion: String?
    var modelUploadUri: String?
    var training: Training?
    var hyperparameterTuning: Tuning?
    var parameterList: [JobBody.Parameter]
    var tagList: [WireTag]

    package init(_ model: Model) {
        let (metadata, spec) = (model.metadata, model.spec)
        modelId = model.id
        modelName = metadata.name
        modelStatusCode = model.status.phase.rawValue
        statusReason = model.status.cause
        description = metadata.description
        appKey = metadata.project
        createdDatetime = WireJSON.time(metadata.createdAt)
        modelFormatCode = spec.format.rawValue
        frameworkVersion = spec.frameworkVersion
        modelUploadUri = spec.artifact
        if let origin = spec.origin {
            if origin.key.kind == ResourceKind("training") {
                training = Training(trainingId: origin.key.id, trainingName: origin.name)
            } else {
                hyperparameterTuning = Tuning(
                    hyperparameterTuningId: origin.key.id, hyperparameterTuningName: origin.name)
            }
        }
        parameterList = spec.parameters.map { .init(parameterName: $0.name, parameterValue: $0.shown) }
        tagList = metadata.tags.map(WireTag.init)
    }
}

extension JobParameter {
    /// What anybody may read: a token for gated models is not shown again.
    var shown: String {
        let name = name.lowercased()
        return ["token", "secret", "password"].contains { name.hasSuffix($0) } ? "********" : value
    }
}
