/// Why the gateway itself answers a request, or does not pass it on.
struct Refusal: Error, Equatable {
    var status: Int
    /// One sentence for the user.
    var message: String
    /// OpenAI's word for it, where they have one.
    var code: String?
    /// Seconds after which it may be tried again.
    var retryAfter: Int?
    /// Where the message ends is not known, or not waited for: the connection cannot go on.
    var closes = false

    static func malformed(_ message: String) -> Refusal { Refusal(status: 400, message: message, closes: true) }

    static let headTooLarge = Refusal(
        status: 431, message: "the request's line and headers are larger than 64 KiB", closes: true)
    static let noEndpoint = Refusal(status: 404, message: "there is no endpoint at this address", code: "not_found")
    static let keyMissing = Refusal(
        status: 401, message: "this endpoint needs an API key: send it as Authorization: Bearer or as X-API-Key",
        code: "invalid_api_key")
    static let keyWrong = Refusal(
        status: 401, message: "the API key is not one of this endpoint's", code: "invalid_api_key")
    static let noBackend = Refusal(
        status: 503, message: "no pod of the model is ready", code: "model_not_ready", retryAfter: 1)
    static let unreachable = Refusal(
        status: 503, message: "no pod of the model could be reached", code: "model_not_ready", retryAfter: 1)
    static let slowRequest = Refusal(
        status: 408, message: "the request did not arrive in time", closes: true)

    static let ending = Refusal(
        status: 503, message: "the server is being stopped", retryAfter: 1, closes: true)

    static let needsTLS = Refusal(
        status: 400, message: "this port speaks TLS only: the address begins with https://", closes: true)
    static let accessEnded = Refusal(
        status: 401, message: "the session that this request came by has ended", closes: true)
    static let noProgram = Refusal(
        status: 502, message: "nothing answers on the program's port; it may have ended or be starting", retryAfter: 1)

    // MARK: - Of who should have answered

    static func brokenOff(_ program: String) -> Refusal {
        Refusal(status: 502, message: "\(program) closed the connection without an answer")
    }
    static func notHTTP(_ program: String) -> Refusal {
        Refusal(status: 502, message: "\(program) answered something that is not HTTP/1.1")
    }
    static func slowAnswer(_ program: String) -> Refusal {
        Refusal(status: 504, message: "\(program) did not answer in time")
    }

    static func noStage(_ name: String) -> Refusal {
        Refusal(status: 404, message: "the endpoint has no stage '\(name)'", code: "not_found")
    }

    static func noModel(_ name: String) -> Refusal {
        let message =
            name.isEmpty
            ? "the address names no model: add a model's name to the endpoint's address"
            : "Model with name \(name) does not exist."
        return Refusal(status: 404, message: message, code: "model_not_found")
    }

    static func tooMany(_ rate: StageRoute.RateLimit, retryAfter: Int) -> Refusal {
        Refusal(
            status: 429, message: "more than the \(rate.perSecond) requests a second that this stage takes",
            code: "rate_limit_exceeded", retryAfter: retryAfter)
    }

    static func bodyTooLarge(limit: Int) -> Refusal {
        Refusal(status: 413, message: "the body is larger than the \(limit) bytes that are let through", closes: true)
    }

    static func heldTooLong(_ seconds: Int) -> Refusal {
        Refusal(
            status: 503, message: "no pod of the model became ready within \(seconds) s", code: "model_not_ready",
            retryAfter: 1)
    }
}

extension Refusal {
    static func reason(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 307: "Temporary Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Error"
        }
    }

    /// - Parameter openAI: Whether the reader expects OpenAI's form.
    func body(openAI: Bool) -> String {
        let text = JSONString.quoted(message)
        guard openAI else { return #"{"error":\#(text)}"# }
        let type =
            switch status {
            case 429: "requests"
            case 500...: "server_error"
            default: "invalid_request_error"
            }
        let code = self.code.map(JSONString.quoted) ?? "null"
        return #"{"error":{"message":\#(text),"type":"\#(type)","param":null,"code":\#(code)}}"#
    }
}
