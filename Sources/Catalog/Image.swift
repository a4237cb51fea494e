import Foundation

/// An image version: an operating system, a framework and a locked list of packages. Never changes once published.
package struct Image: Sendable, Equatable {
    package enum ImageType: String, Codable, Sendable { case notebook = "NOTEBOOK", training = "TRAINING" }
    package enum Core: String, Codable, Sendable { case cpu = "CPU", gpu = "GPU" }
    package enum Framework: String, Codable, Sendable {
        case python = "PYTHON"
        case pytorch = "PYTORCH"
        case tensorflow = "TENSORFLOW"
    }

    package var id: String
    package var name: String
    /// The short name for the command line.
    package var alias: String
    package var type: ImageType
    package var core: Core
    package var framework: Framework
    package var frameworkVersion: String
    package var pythonVersion: String
    package var description: String
    /// The OCI address that container engines pull.
    package var address: String
    /// The lock's text and its SHA-256 in hex.
    package var lock: Data
    package var digest: String
    /// Modules that a warm image has imported before a run; none where runs start cold.
    package var imports: [String]
    /// Day after which the framework version gets no further image versions (SP-3).
    package var supportEnds: String
    /// Day after which nothing new can be created with it.
    package var availabilityEnds: String
}

/// An instance type.
package struct Flavor: Sendable, Equatable, Codable {
    package var id: String
    package var name: String
    package var vcpus: Int
    package var memoryMiB: Int
    package var diskGB: Int
    package var gpus: Int
    package var gpuMemoryMiB: Int
}
