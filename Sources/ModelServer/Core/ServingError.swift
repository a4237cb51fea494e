/// A refusal or failure as clients see it.
package struct ServingError: Error, Sendable, Equatable {
    /// An HTTP status.
    package var status: Int
    package var message: String
    /// Seconds after which it is worth another try.
    package var retryAfter: Int?
    /// `type`, `param` and `code` of an OpenAI error, each a JSON value.
    package var type: String?
    package var param: String?
    package var code: String?
    package var allow: String?

    package init(_ status: Int, _ message: String, retryAfter: Int? = nil) {
        self.status = status
        self.message = message
        self.retryAfter = retryAfter
    }

    package static func bad(_ message: String) -> ServingError { ServingError(400, message) }

    package static func unknownModel(_ name: String) -> ServingError {
        ServingError(404, "Model with name \(name) does not exist.")
    }

    package static func notReady(_ name: String) -> ServingError {
        ServingError(503, "Model with name \(name) is not ready.", retryAfter: 1)
    }

    static func wrongMethod(allow: String) -> ServingError {
        var error = ServingError(405, "Method Not Allowed")
        error.allow = allow
        return error
    }
}

extension ServingError: CustomStringConvertible {
    package var description: String { message }
}
