import Catalog

/// How a model's files are made, in the vendor's spelling.
package enum ModelFormat: String, Codable, Sendable, CaseIterable {
    case tensorflow = "TENSORFLOW"
    case pytorch = "PYTORCH"
    case huggingFace = "HUGGING_FACE"
    case sklearn = "SKLEARN"

    /// As people write it.
    package var displayName: String {
        switch self {
        case .tensorflow: "TensorFlow"
        case .pytorch: "PyTorch"
        case .huggingFace: "Hugging Face"
        case .sklearn: "scikit-learn"
        }
    }

    package var serving: Catalog.Serving {
        switch self {
        case .tensorflow: .tensorflow
        case .pytorch: .pytorch
        case .huggingFace: .huggingFace
        case .sklearn: .sklearn
        }
    }

    /// What a program of the framework is taken to leave behind; a plain Python image has scikit-learn.
    package init(_ framework: Image.Framework) {
        switch framework {
        case .tensorflow: self = .tensorflow
        case .pytorch: self = .pytorch
        case .python: self = .sklearn
        }
    }
}
