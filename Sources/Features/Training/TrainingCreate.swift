import FeatureKit
import Foundation
import Resource

/// The body of `POST /trainings`, as the vendor's SDK sends it.
struct TrainingCreate: Decodable, Sendable {
    struct Parameter: Codable, Sendable {
        var parameterName: String?
        var parameterValue: String?
    }

    struct Dataset: Codable, Sendable {
        var datasetName: String?
        var dataUri: String?
    }

    var trainingName: String?
    var description: String?
    var experimentId: String?
    var experimentName: String?
    var experimentDescription: String?
    var imageId: String?
    var flavorId: String?
    var instanceCount: WholeNumber?
    var dataStorageSize: WholeNumber?
    var algorithmId: String?
    var sourceDirUri: String?
    var entryPoint: String?
    var hyperparameterList: [Parameter]?
    var datasetList: [Dataset]?
    var checkPointInputUri: String?
    var checkPointUploadUri: String?
    var modelUploadUri: String?
    var trainingTypeCode: String?
    var timeoutMinutes: WholeNumber?
    var useLog: Bool?
    var useTorchrun: Bool?
    var nprocPerNode: WholeNumber?
    var tagList: [WireTag]?

    var tags: [Tag] { (tagList ?? []).map(\.tag) }

    /// Everything that can be checked without looking at anything else.
    func validate(_ validator: inout Validator) {
        validator.name(trainingName, "trainingName")
        validator.length(description, "description", limit: Limits.description)
        validator.tags(tags)
        validator.require(imageId != nil, "imageId", "is required; GET /images lists them")
        validator.require(flavorId != nil, "flavorId", "is required; GET /flavors lists them")
        validator.require(
            experimentId != nil || experimentName != nil, "experimentId",
            "is required; give the id of an experiment, or experimentName to create one on the spot")
        if experimentId == nil, experimentName != nil { validator.name(experimentName, "experimentName") }
        validator.length(experimentDescription, "experimentDescription", limit: Limits.description)
        validator.range(instanceCount?.value, "instanceCount", 1...10)
        validator.range(dataStorageSize?.value, "dataStorageSize", 300...10_000)
        validator.range(timeoutMinutes?.value, "timeoutMinutes", 60...43_200)
        validator.require(
            trainingTypeCode == nil || trainingTypeCode == "NORMAL", "trainingTypeCode",
            "'\((trainingTypeCode ?? "").excerpt)' is not known; use NORMAL")
        validator.require(
            algorithmId == nil, "algorithmId",
            "'\((algorithmId ?? "").excerpt)' is not a provided algorithm; use sourceDirUri and entryPoint instead")
        validateProgram(&validator)
        validateHyperparameters(&validator)
        validateDatasets(&validator)
        for (uri, field, required) in [
            (sourceDirUri, "sourceDirUri", true), (modelUploadUri, "modelUploadUri", true),
            (checkPointInputUri, "checkPointInputUri", false), (checkPointUploadUri, "checkPointUploadUri", false),
        ] {
            validator.require(!required || !(uri ?? "").isEmpty, field, "is required; an obs:// or nas:// path")
            validator.length(uri, field, limit: Limits.uri)
        }
    }

    private func validateProgram(_ validator: inout Validator) {
        guard let entryPoint, !entryPoint.isEmpty else {
            return validator.refuse("entryPoint", "is required; such as train.py")
        }
        validator.length(entryPoint, "entryPoint", limit: Limits.uri)
        let parts = entryPoint.split(separator: "/", omittingEmptySubsequences: false)
        let isConfined = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        let isPlain =
            !entryPoint.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } && !entryPoint.hasPrefix("-")
        validator.require(
            isConfined && isPlain, "entryPoint",
            "'\(entryPoint.excerpt)' must be a file inside sourceDirUri, such as train.py")
        validator.require(
            entryPoint.hasSuffix(".py"), "entryPoint",
            "'\(entryPoint.excerpt)' is not a Python file; its name must end with .py")
    }

    private func validateHyperparameters(_ validator: inout Validator) {
        let parameters = hyperparameterList ?? []
        validator.count(parameters.count, "hyperparameterList", limit: 100)
        var seen: Set<String> = []
        for (index, parameter) in parameters.enumerated() {
            let field = "hyperparameterList[\(index)]"
            let name = parameter.parameterName ?? ""
            validator.require(!name.isEmpty, "\(field).parameterName", "is required")
            validator.length(name, "\(field).parameterName", limit: 255)
            validator.length(parameter.parameterValue, "\(field).parameterValue", limit: 1000)
            // Both become part of a command line and an environment variable.
            validator.require(
                !name.contains { $0 == "=" || $0.isWhitespace } && !name.unicodeScalars.contains { $0.value < 0x20 },
                "\(field).parameterName", "'\(name.excerpt)' has a space, a control character or '='")
            validator.require(
                !(parameter.parameterValue ?? "").unicodeScalars.contains { $0.value == 0 }, "\(field).parameterValue",
                "has a NUL character")
            validator.require(
                seen.insert(name.uppercased()).inserted, "\(field).parameterName",
                "'\(name.excerpt)' is given twice (EM_HP_ variables ignore case)")
        }
    }

    private func validateDatasets(_ validator: inout Validator) {
        let datasets = datasetList ?? []
        validator.count(datasets.count, "datasetList", limit: 10)
        var seen: Set<String> = []
        for (index, dataset) in datasets.enumerated() {
            let field = "datasetList[\(index)]"
            let name = dataset.datasetName ?? ""
            validator.require(!name.isEmpty, "\(field).datasetName", "is required")
            validator.length(name, "\(field).datasetName", limit: 36)
            // The name becomes a folder and an environment variable.
            validator.require(
                name.isEmpty
                    || (name.allSatisfy { $0.isLetter || $0.isNumber || "_-.".contains($0) } && !name.hasPrefix(".")),
                "\(field).datasetName", "'\(name.excerpt)' may only have letters, digits, '_', '-' and '.', not first")
            validator.require(
                seen.insert(name.uppercased()).inserted, "\(field).datasetName",
                "'\(name.excerpt)' is given twice (EM_DATASET_ variables ignore case)")
            validator.require(
                !(dataset.dataUri ?? "").isEmpty, "\(field).dataUri", "is required; an obs:// or nas:// path")
            validator.length(dataset.dataUri, "\(field).dataUri", limit: Limits.uri)
        }
    }
}
