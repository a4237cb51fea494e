import ArgumentParser

/// How a model's files are made.
enum ModelFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case sklearn
    case pytorch
    case tensorflow
    case huggingFace = "hugging-face"

    /// As the API spells it.
    var code: String {
        switch self {
        case .sklearn: "SKLEARN"
        case .pytorch: "PYTORCH"
        case .tensorflow: "TENSORFLOW"
        case .huggingFace: "HUGGING_FACE"
        }
    }

    /// The words of the API, and of those who write the frameworks' names as their makers do, are taken as well.
    init?(argument: String) {
        let letters = argument.lowercased().filter(\.isLetter)
        switch letters {
        case "sklearn", "scikitlearn": self = .sklearn
        case "pytorch": self = .pytorch
        case "tensorflow": self = .tensorflow
        case "huggingface": self = .huggingFace
        default: return nil
        }
    }
}
