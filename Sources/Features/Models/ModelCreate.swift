import FeatureKit
import Foundation
import JobKit
import Resource
import ServingKit

/// The body of `POST /models`, as the vendor's SDK sends it.
struct ModelCreate: Decodable, Sendable {
    var modelName: String?
    var description: String?
    var modelFormatCode: String?
    var frameworkVersion: String?
    var modelUploadUri: String?
    var trainingId: String?
    var hyperparameterTuningId: String?
    var fineTuningId: String?
    var parameterList: [JobBody.Parameter]?
    var tagList: [WireTag]?

    /// Limits of the vendor's SDK.
    private static let parameterLimits = (count: 10, name: 64, value: 255)

    var tags: [Tag] { (tagList ?? []).map(\.tag) }
    var parameters: [JobParameter] {
        (parameterList ?? []).map { JobParameter(name: $0.parameterName ?? "", value: $0.parameterValue ?? "") }
    }

    /// The resource that it is to be made from, and the field that says so.
    var origin: (key: ResourceKey, field: String)? {
        if let trainingId { return (ResourceKey(ResourceKind("training"), trainingId.lowercased()), "trainingId") }
        return hyperparameterTuningId.map {
            (ResourceKey(ResourceKind("hyperparameterTuning"), $0.lowercased()), "hyperparameterTuningId")
        }
    }

    /// Everything that can be checked without looking at anything else.
    func validate(_ validator: inout Validator) {
        validator.name(modelName, "modelName")
        // It is a part of every address that serves it.
        validator.require(
            ![".", ".."].contains(modelName), "modelName", "'\(modelName ?? "")' cannot be a part of an address")
        validator.length(description, "description", limit: Limits.description)
        validator.tags(tags)
        if let code = modelFormatCode, ModelFormat(rawValue: code) == nil {
            validator.refuse(
                "modelFormatCode",
                "'\(code.excerpt)' is not served here; use \(ModelFormat.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        validator.require(
            fineTuningId == nil, "fineTuningId", "there are no fine-tunings yet; use trainingId or modelUploadUri")
        validator.require(
            trainingId == nil || hyperparameterTuningId == nil, "hyperparameterTuningId",
            "cannot be given together with trainingId; a model comes from one of them")
        validator.length(modelUploadUri, "modelUploadUri", limit: Limits.uri)
        validator.length(frameworkVersion, "frameworkVersion", limit: Limits.name)
        if origin != nil {
            validator.require(
                modelUploadUri == nil, "modelUploadUri", "follows from the training; leave it out")
        } else {
            validator.require(
                modelFormatCode != nil, "modelFormatCode",
                "is required; use \(ModelFormat.allCases.map(\.rawValue).joined(separator: ", "))")
            let isByID = modelFormatCode == ModelFormat.huggingFace.rawValue && HuggingFace.id(in: parameters) != nil
            validator.require(
                !(modelUploadUri ?? "").isEmpty || isByID, "modelUploadUri",
                modelFormatCode == ModelFormat.huggingFace.rawValue
                    ? "is required; an obs:// or nas:// folder of safetensors, or a parameter model_id"
                    : "is required; the obs:// or nas:// path of the model's files")
        }
        validateParameters(&validator)
    }

    private func validateParameters(_ validator: inout Validator) {
        let limits = ModelCreate.parameterLimits
        validator.count(parameters.count, "parameterList", limit: limits.count)
        var seen: Set<String> = []
        for (index, parameter) in parameters.enumerated() {
            let field = "parameterList[\(index)]"
            validator.length(parameter.name, "\(field).parameterName", limit: limits.name)
            validator.length(parameter.value, "\(field).parameterValue", limit: limits.value)
            JobBody.validate(parameterName: parameter.name, "\(field).parameterName", &seen, &validator)
            validator.require(
                !parameter.value.unicodeScalars.contains { $0.value == 0 }, "\(field).parameterValue",
                "has a NUL character")
        }
    }
}

enum HuggingFace {
    /// A model's id on the hub, such as `google-bert/bert-base-uncased`. Names are as the worker reads them (`Options.get`):
    /// `model-id` and `MODEL_ID` mean `model_id`.
    static func id(in parameters: [JobParameter]) -> String? {
        let values = ["model_id", "hf_model_id"].map { name in
            parameters.first { $0.name.lowercased().replacing("-", with: "_") == name }?.value ?? ""
        }
        return values.first { !$0.isEmpty }
    }
}
