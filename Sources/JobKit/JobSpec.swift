import Foundation
import Resource

/// What a training, the trials of a tuning and a template have in common: a program, where it runs, what goes in and out.
package struct JobSpec: Codable, Sendable, Equatable {
    package struct Dataset: Codable, Sendable, Equatable {
        package var name: String
        package var uri: String

        package init(name: String, uri: String) {
            (self.name, self.uri) = (name, uri)
        }
    }

    package var imageID: String
    package var flavorID: String
    /// Nodes of the gang, 1 to 10.
    package var nodes: Int
    package var source: String
    package var entryPoint: String
    package var datasets: [Dataset]
    package var checkpointInput: String?
    package var checkpointOutput: String?
    package var modelOutput: String
    package var usesTorchrun: Bool
    package var processesPerNode: Int?
    package var timeoutMinutes: Int
    package var usesLog: Bool
    /// GB; nil where the user did not say.
    package var dataStorageSize: Int?

    package init(
        imageID: String, flavorID: String, nodes: Int = 1, source: String, entryPoint: String,
        datasets: [Dataset] = [], checkpointInput: String? = nil, checkpointOutput: String? = nil, modelOutput: String,
        usesTorchrun: Bool = false, processesPerNode: Int? = nil, timeoutMinutes: Int = 43_200, usesLog: Bool = false,
        dataStorageSize: Int? = nil
    ) {
        self.imageID = imageID
        self.flavorID = flavorID
        self.nodes = nodes
        self.source = source
        self.entryPoint = entryPoint
        self.datasets = datasets
        self.checkpointInput = checkpointInput
        self.checkpointOutput = checkpointOutput
        self.modelOutput = modelOutput
        self.usesTorchrun = usesTorchrun
        self.processesPerNode = processesPerNode
        self.timeoutMinutes = timeoutMinutes
        self.usesLog = usesLog
        self.dataStorageSize = dataStorageSize
    }

    /// A name as one path component; names have no slashes, and a leading dot would hide the folder.
    package static func folderName(_ name: String, unique: String) -> String {
        "\(name.hasPrefix(".") ? "_\(name.dropFirst())" : name)-\(unique.prefix(8))"
    }
}

/// A hyperparameter with its value, both as texts: what the program gets.
package struct JobParameter: Codable, Sendable, Equatable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        (self.name, self.value) = (name, value)
    }
}

extension ResourceKind {
    package static let experiment = ResourceKind("experiment")
}
