import Console
import FeatureKit
import Resource

/// The settings of a training, a tuning or both, as requests write them: what a template keeps.
package struct JobSettings: Codable, Sendable, Equatable {
    package var job: JobBody
    /// Of a training.
    package var hyperparameters: [JobBody.Parameter]
    /// Of a tuning.
    package var search: SearchBody

    package init(job: JobBody, hyperparameters: [JobBody.Parameter], search: SearchBody) {
        (self.job, self.hyperparameters, self.search) = (job, hyperparameters, search)
    }

    /// As the forms of both hold them.
    package var fields: [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { pairs.append((name, value)) }
        }
        func add(_ name: String, _ value: WholeNumber?) { add(name, value.map { "\($0.value)" }) }
        add("experimentId", job.experimentId)
        add("imageId", job.imageId)
        add("flavorId", job.flavorId)
        add("instanceCount", job.instanceCount)
        add("dataStorageSize", job.dataStorageSize)
        add("sourceDirUri", job.sourceDirUri)
        add("entryPoint", job.entryPoint)
        add("checkPointInputUri", job.checkPointInputUri)
        add("checkPointUploadUri", job.checkPointUploadUri)
        add("modelUploadUri", job.modelUploadUri)
        add("timeoutMinutes", job.timeoutMinutes)
        add("useLog", job.useLog == true ? "true" : nil)
        add("useTorchrun", job.useTorchrun == true ? "true" : nil)
        add("nprocPerNode", job.nprocPerNode)
        for (index, dataset) in (job.datasetList ?? []).enumerated() {
            add("datasetList[\(index)].datasetName", dataset.datasetName)
            add("datasetList[\(index)].dataUri", dataset.dataUri)
        }
        for (index, parameter) in hyperparameters.enumerated() {
            add("hyperparameterList[\(index)].parameterName", parameter.parameterName)
            add("hyperparameterList[\(index)].parameterValue", parameter.parameterValue)
        }
        return pairs + SearchForm.fields(search)
    }

    /// Names of hyperparameters, of either kind.
    package var hyperparameterNames: [String] {
        let names =
            hyperparameters.map { $0.parameterName ?? "" }
            + (search.hyperparameterSpecList ?? []).map { $0.hyperparameterName ?? "" }
        return names.enumerated().filter { names.firstIndex(of: $0.element) == $0.offset }.map(\.element)
    }
}

/// The templates of a project, for forms to be filled from. Handed in by the composition root: one feature keeps them, two
/// use them.
package struct JobTemplates: Sendable {
    package struct Choice: Sendable {
        package var id: String
        package var name: String

        package init(id: String, name: String) { (self.id, self.name) = (id, name) }
    }

    package var list: @Sendable (_ project: String) async throws -> [Choice]
    package var settings: @Sendable (_ id: String, _ project: String) async throws -> (name: String, JobSettings)?

    package init(
        list: @escaping @Sendable (String) async throws -> [Choice],
        settings: @escaping @Sendable (String, String) async throws -> (name: String, JobSettings)?
    ) {
        (self.list, self.settings) = (list, settings)
    }
}
