import Console
import FeatureKit
import Web

extension JobSpec {
    /// The settings as a form holds them, for a copy of another name (C-6).
    /// - Parameters:
    ///   - name: of the copied resource.
    ///   - copy: the name of the copy.
    package func fields(experiment: String, name: String, copy: String) -> [(name: String, value: String)] {
        // A copy that wrote to the same place would overwrite what the original has left there.
        func moved(_ uri: String) -> String {
            uri.split(separator: "/", omittingEmptySubsequences: false).map { part in
                part == name || String(part) == Form.slug(name) ? Form.slug(copy) : String(part)
            }.joined(separator: "/")
        }
        var pairs: [(name: String, value: String)] = [
            ("experimentId", experiment), ("imageId", imageID), ("sourceDirUri", source), ("entryPoint", entryPoint),
            ("flavorId", flavorID), ("instanceCount", "\(nodes)"), ("useTorchrun", usesTorchrun ? "true" : ""),
            ("useLog", usesLog ? "true" : ""), ("nprocPerNode", processesPerNode.map { "\($0)" } ?? ""),
            ("checkPointInputUri", checkpointInput ?? ""), ("checkPointUploadUri", moved(checkpointOutput ?? "")),
            ("modelUploadUri", moved(modelOutput)), ("timeoutMinutes", "\(timeoutMinutes)"),
            ("dataStorageSize", dataStorageSize.map { "\($0)" } ?? ""),
        ]
        for (index, dataset) in datasets.enumerated() {
            pairs.append(("datasetList[\(index)].datasetName", dataset.name))
            pairs.append(("datasetList[\(index)].dataUri", dataset.uri))
        }
        return pairs
    }
}
