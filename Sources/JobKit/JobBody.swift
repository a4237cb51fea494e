import FeatureKit
import Foundation
import Resource

/// What the bodies of `POST /trainings` and `POST /hyperparameter-tunings` have in common, as the vendor's SDK sends it.
/// Every field can be missing: validation names it, and templates need none.
package struct JobBody: Codable, Sendable, Equatable {
    package struct Dataset: Codable, Sendable, Equatable {
        package var datasetName: String?
        package var dataUri: String?
    }

    package struct Parameter: Codable, Sendable, Equatable {
        package var parameterName: String?
        package var parameterValue: String?

        package init(parameterName: String?, parameterValue: String?) {
            (self.parameterName, self.parameterValue) = (parameterName, parameterValue)
        }
    }

    package var experimentId: String?
    package var experimentName: String?
    package var experimentDescription: String?
    package var imageId: String?
    package var flavorId: String?
    package var instanceCount: WholeNumber?
    package var dataStorageSize: WholeNumber?
    package var algorithmId: String?
    package var sourceDirUri: String?
    package var entryPoint: String?
    package var datasetList: [Dataset]?
    package var checkPointInputUri: String?
    package var checkPointUploadUri: String?
    package var modelUploadUri: String?
    package var timeoutMinutes: WholeNumber?
    package var useLog: Bool?
    package var useTorchrun: Bool?
    package var nprocPerNode: WholeNumber?

    /// Everything that can be checked without looking at anything else.
    package func validate(_ validator: inout Validator) {
        validator.require(imageId != nil, "imageId", "is required; GET /images lists them")
        validator.require(flavorId != nil, "flavorId", "is required; GET /flavors lists them")
        validator.require(
            experimentId != nil || experimentName != nil, "experimentId",
            "is required; give the id of an experiment, or experimentName to create one on the spot")
        if experimentId == nil, experimentName != nil { validator.name(experimentName, "experimentName") }
        for (value, field) in [(sourceDirUri, "sourceDirUri"), (modelUploadUri, "modelUploadUri")] {
            validator.require(!(value ?? "").isEmpty, field, "is required; an obs:// or nas:// path")
        }
        validator.require(!(entryPoint ?? "").isEmpty, "entryPoint", "is required; such as train.py")
        validateWhatIsThere(&validator)
    }

    /// The form of what is there; that nothing is missing is not asked.
    package func validateWhatIsThere(_ validator: inout Validator) {
        validator.length(experimentDescription, "experimentDescription", limit: Limits.description)
        validator.range(instanceCount?.value, "instanceCount", 1...10)
        validator.range(dataStorageSize?.value, "dataStorageSize", 300...10_000)
        validator.range(timeoutMinutes?.value, "timeoutMinutes", 60...43_200)
        validator.require(
            algorithmId == nil, "algorithmId",
            "'\((algorithmId ?? "").excerpt)' is not a provided algorithm; use sourceDirUri and entryPoint instead")
        validateProgram(&validator)
        validateDatasets(&validator)
        for (uri, field) in [
            (sourceDirUri, "sourceDirUri"), (modelUploadUri, "modelUploadUri"),
            (checkPointInputUri, "checkPointInputUri"), (checkPointUploadUri, "checkPointUploadUri"),
        ] {
            validator.length(uri, field, limit: Limits.uri)
        }
    }

    private func validateProgram(_ validator: inout Validator) {
        guard let entryPoint, !entryPoint.isEmpty else { return }
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

    /// Of a training, where they have values.
    package static func validate(_ parameters: [Parameter], _ validator: inout Validator) {
        validator.count(parameters.count, "hyperparameterList", limit: 100)
        var seen: Set<String> = []
        for (index, parameter) in parameters.enumerated() {
            let field = "hyperparameterList[\(index)]"
            let name = parameter.parameterName ?? ""
            validator.length(parameter.parameterValue, "\(field).parameterValue", limit: 1000)
            validate(parameterName: name, "\(field).parameterName", &seen, &validator)
            validator.require(
                !(parameter.parameterValue ?? "").unicodeScalars.contains { $0.value == 0 }, "\(field).parameterValue",
                "has a NUL character")
        }
    }

    /// - Parameter seen: the names before it, in capitals.
    package static func validate(
        parameterName name: String, _ field: String, _ seen: inout Set<String>, _ validator: inout Validator
    ) {
        validator.require(!name.isEmpty, field, "is required")
        validator.length(name, field, limit: 255)
        // It becomes part of a command line and of an environment variable.
        validator.require(
            !name.contains { $0 == "=" || $0.isWhitespace } && !name.unicodeScalars.contains { $0.value < 0x20 },
            field, "'\(name.excerpt)' has a space, a control character or '='")
        validator.require(
            seen.insert(name.uppercased()).inserted, field,
            "'\(name.excerpt)' is given twice (EM_HP_ variables ignore case)")
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
