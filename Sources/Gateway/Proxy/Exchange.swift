import NIOCore

/// One request and its answer: what is the same wherever it goes.
class Exchange {
    /// When the request's head had been read.
    let started: NIODeadline
    var upstream: UpstreamConnection?
    /// No pooled connection any more: one was closed.
    var wantsFresh = false
    /// Written once already without an answer.
    var isSecondTime = false

    /// What the client got; 0 before.
    var status = 0
    var framing = ResponseHead.Framing.none
    /// Whether the connection ends after the answer.
    var closes = false
    var isRecorded = false

    init(started: NIODeadline) { self.started = started }

    // One of the two; not by a cast, which costs more than a call.
    var route: RoutedExchange? { nil }
    var app: AppExchange? { nil }
}

/// A request that goes to a model, by the table.
final class RoutedExchange: Exchange {
    /// The stage that serves it: the canary where one was drawn.
    var stage: CompiledStage
    var counter: StageCounter
    var resource: CompiledResource?
    /// Offset in the target of what follows the stage's prefix, and of what the backend gets.
    var stageEnd = 0
    var rest = 0
    /// Bytes of the first line in `ClientConnection.request`.
    var lineLength = 0

    /// Counted as on its way there while it is set.
    var backend: BackendState?
    /// Those that could not be reached.
    var tried: [BackendState] = []
    /// Where it is counted as waiting for a first backend.
    var heldFor: ResourceUse?
    /// Until when it waits for a first backend.
    var heldUntil: NIODeadline?

    /// Stages that get a copy, and all that was sent, for them; nil once it is too much.
    var shadows: [CompiledStage] = []
    var copy: ByteBuffer?

    init(started: NIODeadline, stage: CompiledStage, counter: StageCounter) {
        self.stage = stage
        self.counter = counter
        super.init(started: started)
    }

    override var route: RoutedExchange? { self }
}

/// What of a request's body has not been read.
enum BodyLeft {
    case none
    case length(Int)
    case chunked(ChunkedDecoder, received: Int)
}
