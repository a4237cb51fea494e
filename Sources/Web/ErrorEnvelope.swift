import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Resource

/// Turns whatever a route throws into the vendor's envelope with the field, the reason and a fitting status.
package struct ErrorEnvelope: RouterMiddleware {
    private let methods: RouteMethods

    package init(methods: RouteMethods) { self.methods = methods }

    package func handle(
        _ request: Request, context: TakumiContext, next: (Request, TakumiContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound && methods.excludes(request) {
            let allowed = methods.allowed(at: request.uri.path).joined(separator: ", ")
            let refusal = TakumiError(.invalid, "\(request.method) is not possible here, only \(allowed)")
            var response = try ErrorEnvelope.response([refusal], status: .methodNotAllowed)
            response.headers[.allow] = allowed
            return response
        } catch {
            let errors = ErrorEnvelope.errors(of: error)
            let status = errors[0].status
            if status.kind == .serverError {
                context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            }
            return try ErrorEnvelope.response(errors)
        }
    }

    package static func errors(of error: any Error) -> [TakumiError] {
        switch error {
        case let error as TakumiError: [error]
        case let error as ValidationErrors: error.errors
        case let error as DecodingError: [DecodingProblem.explained(error)]
        case let error as HTTPError: [explained(error)]
        case is NIOTooManyBytesError:
            [
                TakumiError(
                    .tooLarge, "the body is larger than \(TakumiContext.bodyLimit >> 20) MiB, the limit of this route")
            ]
        default: [TakumiError(.failed, "internal error; the server's log has the details")]
        }
    }

    private static func explained(_ error: HTTPError) -> TakumiError {
        let message = error.body ?? error.status.reasonPhrase
        return switch error.status {
        case .notFound: TakumiError(.notFound, "no such path; GET /openapi.json lists what there is")
        case .contentTooLarge:
            TakumiError(
                .tooLarge, "the body is larger than \(TakumiContext.bodyLimit >> 20) MiB, the limit of this route")
        case .unauthorized: TakumiError(.unauthenticated, message)
        default: TakumiError(error.status.kind == .serverError ? .failed : .invalid, message)
        }
    }

    /// - Parameter status: that of the first error, if nil.
    package static func response(_ errors: [TakumiError], status: HTTPResponse.Status? = nil) throws -> Response {
        let status = status ?? errors[0].status
        return Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try body(errors, status: status))))
    }

    package static func body(_ errors: [TakumiError], status: HTTPResponse.Status? = nil) throws -> [UInt8] {
        try WireJSON.encode(
            Body(
                header: .init(
                    resultCode: (status ?? errors[0].status).code * 100,
                    resultMessage: errors.map(\.line).joined(separator: "; ")),
                errors: errors.map { .init(field: $0.field, message: $0.message) }))
    }

    private struct Body: Encodable {
        struct Header: Encodable {
            var isSuccessful = false
            var resultCode: Int
            var resultMessage: String
        }
        struct Problem: Encodable {
            var field: String?
            var message: String
        }
        var header: Header
        var errors: [Problem]
    }
}

extension TakumiError {
    package var status: HTTPResponse.Status {
        switch code {
        case .invalid: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .conflict: .conflict
        case .tooLarge: .contentTooLarge
        case .unavailable: .serviceUnavailable
        case .failed: .internalServerError
        }
    }
}

/// Says in a user's words what a decoder found.
package enum DecodingProblem {
    package static func explained(_ error: DecodingError) -> TakumiError {
        switch error {
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            .invalid(field(context.codingPath), "must be \(name(of: type))")
        case .keyNotFound(let key, let context):
            .invalid(field(context.codingPath + [key]), "is required")
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? TakumiError(.invalid, "the body is not valid JSON\(position(context))")
                : .invalid(field(context.codingPath), context.debugDescription)
        @unknown default:
            TakumiError(.invalid, "the body does not have the form of this request")
        }
    }

    private static func position(_ context: DecodingError.Context) -> String {
        guard let error = context.underlyingError as? CocoaError,
            let text = error.userInfo[NSDebugDescriptionErrorKey] as? String
        else { return "" }
        return ": \(text.trimmingCharacters(in: CharacterSet(charactersIn: ".")))"
    }

    /// `datasetList[0].dataUri`.
    private static func field(_ path: [any CodingKey]) -> String {
        path.reduce("") { text, key in
            if let index = key.intValue { return "\(text)[\(index)]" }
            return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
        }
    }

    private static func name(of type: Any.Type) -> String {
        switch type {
        case is Int.Type: "a whole number"
        case is Double.Type: "a number"
        case is Bool.Type: "true or false"
        case is String.Type: "a text"
        case is [Any].Type: "a list"
        default:
            "\(type)".hasPrefix("Array")
                ? "a list" : "\(type)".hasPrefix("Dictionary") ? "an object" : "of another type"
        }
    }
}
