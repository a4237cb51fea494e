import NIOCore

/// A request as the core sees it, whichever protocol it came by.
package struct InferenceRequest: Sendable {
    package enum Payload: Sendable {
        case tensors(TensorSet)
        /// A whole body of protocol v1 that is not a regular array of numbers. It is JSON: that has been checked.
        case json(ByteBuffer, rows: Int)
        case openAI(OpenAIRoute, ByteBuffer, stream: Bool)
    }

    package enum OpenAIRoute: String, Sendable {
        case completions
        case chatCompletions = "chat/completions"
    }

    /// What the worker is told, since handlers see requests of the two differently. gRPC is v2.
    package enum Dialect: String, Sendable {
        case v1, v2
    }

    package enum Verb: String, Sendable {
        case predict, explain
    }

    package var dialect: Dialect
    package var verb: Verb
    package var payload: Payload
    package var id: String?
    /// A JSON object, as it came. It has been checked.
    package var parameters: ByteBuffer?
    package var headers: [(name: String, value: String)] = []
    /// Shorter than the server's own limit, where the client said one.
    package var limit: TimeAmount?

    package init(dialect: Dialect, verb: Verb = .predict, payload: Payload, id: String? = nil) {
        self.dialect = dialect
        self.verb = verb
        self.payload = payload
        self.id = id
    }

    /// Bytes that the server keeps for it while it waits.
    var size: Int {
        switch payload {
        case .tensors(let set): set.bytes.readableBytes
        case .json(let body, _), .openAI(_, let body, _): body.readableBytes
        }
    }
}

/// Names a request for as long as the server runs.
package struct RequestID: Hashable, Sendable {
    var number: UInt64
}

/// What becomes of a request. All but `chunk` are the last word on it.
package enum ReplyEvent: Sendable {
    case outputs([OutputTensor], parameters: ByteBuffer?)
    case json(ByteBuffer, contentType: String?)
    /// A part of a streamed answer: one JSON value.
    case chunk(ByteBuffer)
    /// A streamed answer is complete.
    case end
    case failure(ServingError)

    package var isLast: Bool {
        if case .chunk = self { return false }
        return true
    }
}

/// Hears what becomes of a request. Called on the core's event loop.
protocol ReplyReceiver: AnyObject {
    func receive(_ event: ReplyEvent, for id: RequestID)
}
