import Resource

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The envelope that every reply of the API comes in.
enum Envelope {
    /// The whole reply, header included.
    /// - Throws: `ValidationErrors` with the server's refusals, or a `TakumiError` where it is no reply of this API.
    static func open(status: Int, body: Data) throws -> JSONValue {
        guard let reply = try? JSONValue(parsing: body), case .object = reply else {
            if (200..<300).contains(status), body.isEmpty { return .object([:]) }
            let text = String(decoding: body.prefix(200), as: UTF8.self).trimmed
            throw TakumiError(
                .failed,
                text.isEmpty
                    ? "the server answered \(status) without a reason" : "the server answered \(status): \(text)")
        }
        let header = reply["header"]
        if (200..<300).contains(status), header["isSuccessful"].bool ?? true { return reply }
        throw refusal(status: status, reply)
    }

    private static func refusal(status: Int, _ reply: JSONValue) -> ValidationErrors {
        let code = code(status)
        let errors = (reply["errors"].array ?? []).compactMap { error -> TakumiError? in
            guard let message = error["message"].string else { return nil }
            let field = error["field"].string
            return TakumiError(code, message, field: field?.isEmpty == false ? field : nil)
        }
        if !errors.isEmpty { return ValidationErrors(errors) }
        let message = reply["header"]["resultMessage"].string ?? "the server answered \(status) without a reason"
        return ValidationErrors([TakumiError(code, message)])
    }

    private static func code(_ status: Int) -> TakumiError.Code {
        switch status {
        case 400, 422: .invalid
        case 401: .unauthenticated
        case 403: .forbidden
        case 404: .notFound
        case 409: .conflict
        case 413: .tooLarge
        case 503: .unavailable
        default: .failed
        }
    }
}

extension ValidationErrors {
    /// True where the server says that there is no such thing.
    var isNotFound: Bool { errors.allSatisfy { $0.code == .notFound } }
}
