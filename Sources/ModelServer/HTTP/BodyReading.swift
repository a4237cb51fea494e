import CTensors
import NIOCore

/// A request as read from its body, with what its answer needs to know.
struct ReadRequest: Sendable {
    var route: Route
    var request: InferenceRequest
    var wishes = V2Wishes()
}

/// From a route and a body to a request. A pure function of its input, so that large bodies can be read on another thread.
struct BodyReading: Sendable {
    var route: Route
    var model: String
    var jsonLength: Int?
    var isOctets: Bool

    func read(_ body: ByteBuffer, with parser: BodyParser) throws(ServingError) -> ReadRequest {
        switch route {
        case .v1Infer(let verb):
            return ReadRequest(route: route, request: try parser.v1(body, verb: verb))
        case .v2Infer:
            if isOctets, jsonLength == nil {
                throw .bad("received byte inputs, but the'inference-header-content-length' header is missing.")
            }
            let (request, wishes) = try parser.v2(body, jsonLength: jsonLength)
            return ReadRequest(route: route, request: request, wishes: wishes)
        case .openAI(let openAI):
            let outline = try parser.outline(body)
            if let named = outline.model, named != model { throw .unknownOpenAIModel(named) }
            return ReadRequest(
                route: route,
                request: InferenceRequest(dialect: .v1, payload: .openAI(openAI, body, stream: outline.stream)))
        default:
            var found = self
            found.route = try routeByBody(body, with: parser)
            return try found.read(body, with: parser)
        }
    }

    private func routeByBody(_ body: ByteBuffer, with parser: BodyParser) throws(ServingError) -> Route {
        // Binary data behind the JSON: only v2 has that.
        if jsonLength != nil { return .v2Infer }
        let keys = try parser.outline(body).keys
        if keys & TAKUMI_KEY_INSTANCES != 0 { return .v1Infer(.predict) }
        if keys & TAKUMI_KEY_INPUTS != 0 { return .v2Infer }
        if keys & TAKUMI_KEY_MESSAGES != 0 { return .openAI(.chatCompletions) }
        if keys & TAKUMI_KEY_PROMPT != 0 { return .openAI(.completions) }
        throw .bad("The body has none of 'instances', 'inputs', 'prompt' and 'messages', which tell the protocol.")
    }
}
