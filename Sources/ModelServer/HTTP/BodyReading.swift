import CTensors
import NIOCore

/// A request as read from its body, with what its answer needs to know.
struct ReadRequest: Sendable {
    var route: Route
    var request: InferenceRequest
    var wishes: V2Wishes
}

/// From a route and a body to a request. A pure function of its input, so that large bodies can be read on another thread.
struct BodyReading: Sendable {
    var route: Route
    var model: String
    var jsonLength: Int?
    var isOctets: Bool

    /// - Throws: a refusal in the form that the route, or else the body, asks for.
    func read(_ body: ByteBuffer, with parser: BodyParser) throws(Router.Refusal) -> ReadRequest {
        guard route == .byBody else { return try read(body, as: route, with: parser) }
        // Binary data behind the JSON: only v2 has that.
        if jsonLength != nil { return try read(body, as: .v2Infer, with: parser) }
        let (outline, failure) = parser.outline(body)
        let found = BodyReading.route(keys: outline.keys)
        if let failure { throw Router.Refusal(error: failure, door: (found ?? route).door) }
        guard let found else {
            let sentence =
                "The body has none of 'instances', 'inputs', 'prompt' and 'messages', which tell the protocol."
            throw Router.Refusal(error: .bad(sentence), door: route.door)
        }
        return try read(body, as: found, with: parser)
    }

    private static func route(keys: Int) -> Route? {
        if keys & TAKUMI_KEY_INSTANCES != 0 { return .v1Infer(.predict) }
        if keys & TAKUMI_KEY_INPUTS != 0 { return .v2Infer }
        if keys & TAKUMI_KEY_MESSAGES != 0 { return .openAI(.chatCompletions) }
        return keys & TAKUMI_KEY_PROMPT != 0 ? .openAI(.completions) : nil
    }

    private func read(
        _ body: ByteBuffer, as route: Route, with parser: BodyParser
    ) throws(Router.Refusal) -> ReadRequest {
        do throws(ServingError) {
            let (request, wishes) = try request(body, route, parser)
            return ReadRequest(route: route, request: request, wishes: wishes)
        } catch {
            throw Router.Refusal(error: error, door: route.door)
        }
    }

    private func request(
        _ body: ByteBuffer, _ route: Route, _ parser: BodyParser
    ) throws(ServingError) -> (InferenceRequest, V2Wishes) {
        switch route {
        case .v1Infer(let verb): return (try parser.v1(body, verb: verb), V2Wishes())
        case .openAI(let openAI):
            let (outline, failure) = parser.outline(body)
            if let failure { throw failure }
            if let named = outline.model, named != model { throw .unknownOpenAIModel(named) }
            let payload = InferenceRequest.Payload.openAI(openAI, body, stream: outline.stream)
            return (InferenceRequest(dialect: .v1, payload: payload), V2Wishes())
        default:
            if isOctets, jsonLength == nil {
                throw .bad("received byte inputs, but the'inference-header-content-length' header is missing.")
            }
            return try parser.v2(body, jsonLength: jsonLength)
        }
    }
}
