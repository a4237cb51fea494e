/// The one error that crosses seams between targets: what kind of refusal it is, which input caused it, and a sentence
/// that tells the user what to do about it.
package struct TakumiError: Error, Sendable, Equatable, Codable {
    package enum Code: String, Sendable, Codable {
        case invalid
        case unauthenticated
        case forbidden
        case notFound
        case conflict
        case tooLarge
        case unavailable
        case failed
    }

    package var code: Code
    /// One line: the value and the remedy. Shown to users as it is.
    package var message: String
    /// The request's field in wire spelling (`trainingName`, `datasetList[0].dataUri`), where one is to blame.
    package var field: String?

    package init(_ code: Code, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }

    package static func invalid(_ field: String, _ message: String) -> TakumiError {
        TakumiError(.invalid, message, field: field)
    }

    /// The message led by the field that it blames.
    package var line: String { field.map { "\($0): \(message)" } ?? message }
}

extension TakumiError: CustomStringConvertible {
    package var description: String { line }
}

/// Several refusals at once, so that a form can mark every wrong field in one go.
package struct ValidationErrors: Error, Sendable, Equatable {
    package var errors: [TakumiError]
    package init(_ errors: [TakumiError]) { self.errors = errors }
}
