import Catalog
import JobKit
import Resource

/// A model as whoever serves it sees it.
package struct ServedModel: Sendable, Equatable {
    package var id: String
    package var name: String
    package var format: ModelFormat
    /// The storage URI of its files; nil where a parameter names them (a Hugging Face model by its id).
    package var artifact: String?
    package var parameters: [JobParameter]

    package init(id: String, name: String, format: ModelFormat, artifact: String?, parameters: [JobParameter]) {
        self.id = id
        self.name = name
        self.format = format
        self.artifact = artifact
        self.parameters = parameters
    }
}

/// What a model can be made from: a training that has ended well, the best trial of a tuning.
package struct ModelOrigin: Sendable, Equatable, Codable {
    /// The training or tuning.
    package var key: ResourceKey
    package var name: String
    package var artifact: String
    package var format: ModelFormat
    /// Of the framework: `2.13.0`; nil where the image does not say.
    package var version: String?

    /// - Parameter image: what it was trained in, which says the format.
    package init(key: ResourceKey, name: String, artifact: String, image: Image?) {
        self.key = key
        self.name = name
        self.artifact = artifact
        format = image.map { ModelFormat($0.framework) } ?? .sklearn
        // A plain Python image's version is Python's.
        version = image.flatMap { $0.framework == .python ? nil : $0.frameworkVersion }
    }
}
