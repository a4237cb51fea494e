import HTTPTypes
import Hummingbird
import Resource
import Storage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Responses in Swift's shapes.
enum Reply {
    static func empty(_ status: HTTPResponse.Status, _ headers: [String: String] = [:]) -> Response {
        var response = Response(status: status)
        // A 204 has no content, hence no length either (RFC 9110, 8.6).
        if status == .noContent || status == .notModified { response.headers[.contentLength] = nil }
        for (name, value) in headers { response.headers[name] = value }
        return response
    }

    static func text(_ status: HTTPResponse.Status, _ text: String, _ headers: [String: String] = [:]) -> Response {
        content(status, ByteBuffer(string: text), type: "text/plain; charset=utf-8", headers)
    }

    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok, _ headers: [String: String] = [:])
        throws -> Response
    {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let body = ByteBuffer(bytes: try encoder.encode(value))
        return content(status, body, type: "application/json; charset=utf-8", headers)
    }

    /// A listing: lines of text, or the same as JSON. An empty one as text is a 204.
    static func listing(
        _ call: SwiftCall, names: @autoclosure () throws -> [String], items: @autoclosure () throws -> [some Encodable],
        _ headers: [String: String]
    ) throws -> Response {
        if call.wantsJSON { return try json(try items(), headers) }
        let names = try names()
        if names.isEmpty {
            return empty(.noContent, headers.merging(["Content-Type": "text/plain; charset=utf-8"]) { $1 })
        }
        return text(.ok, names.map { $0 + "\n" }.joined(), headers)
    }

    private static func content(
        _ status: HTTPResponse.Status, _ body: ByteBuffer, type: String, _ headers: [String: String]
    ) -> Response {
        var response = Response(status: status, body: ResponseBody(byteBuffer: body))
        response.headers[.contentType] = type
        for (name, value) in headers { response.headers[name] = value }
        return response
    }

    static func failure(_ error: any Error, path: String) -> Response {
        guard let error = error as? TakumiError else {
            return text(.internalServerError, "the object store failed\n")
        }
        var response = text(status(of: error), error.message + "\n")
        if error.code == .unauthenticated {
            let account = path.split(separator: "/").dropFirst().first.map(String.init) ?? "unknown"
            response.headers[.wwwAuthenticate] = "Swift realm=\"\(account.filter { $0 != "\"" && $0 != "\\" })\""
        }
        return response
    }

    static func status(of error: TakumiError) -> HTTPResponse.Status {
        switch error.code {
        case .invalid:
            if error.field == "ETag" { return .unprocessableContent }
            if error.field == "length" { return .lengthRequired }
            return error.field?.hasPrefix("412 ") == true ? .preconditionFailed : .badRequest
        case .unauthenticated: return .unauthorized
        case .forbidden: return .forbidden
        case .notFound: return .notFound
        case .conflict: return .conflict
        case .tooLarge: return .contentTooLarge
        case .unavailable:
            return error.isDiskFull
                ? HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage") : .serviceUnavailable
        case .failed: return .internalServerError
        }
    }

    /// Every reply has an id by which it can be found in a log, in Swift's form.
    static func stamp(_ response: inout Response) {
        let moment = String(Timestamp.now().ticks / 100_000, radix: 16)
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        let id = "tx" + String(repeating: "0", count: 21 - digits.count) + digits + "-00" + moment
        response.headers["X-Trans-Id"] = id
        response.headers["X-Openstack-Request-Id"] = id
    }
}
