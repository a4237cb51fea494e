import NIOCore
import Synchronization

/// The model server's core for fronts that live on other threads, as gRPC's does.
///
/// A front turns what it receives into an `InferenceRequest`, submits it and writes what it hears. Queue, batching, limits,
/// the worker and its faults are behind this. Inputs of requests by different fronts are joined where they can be.
package final class InferenceCore: Sendable {
    /// The name under which the model is served. A front answers requests for another one with `ServingError.unknownModel`.
    package let model: String
    private let loop: any EventLoop
    private let core: NIOLoopBound<Core>
    private let lastRequest = Mutex<UInt64>(0)

    /// On the core's event loop.
    init(_ core: Core) {
        model = core.name
        loop = core.loop
        self.core = NIOLoopBound(core, eventLoop: core.loop)
    }

    /// Hands in a request. Callable from any thread.
    /// - Parameter reply: called on the core's event loop: it must not block. Called once for every event, the last of which is
    ///   the only one whose `isLast` is true. Not called any more after `cancel`, apart from an event already on its way.
    /// - Returns: what `cancel` takes.
    @discardableResult
    package func submit(
        _ request: InferenceRequest, reply: @escaping @Sendable (ReplyEvent) -> Void
    ) -> RequestID {
        let number = lastRequest.withLock { last in
            last += 1
            return last
        }
        // Those of the HTTP front count from 1 on.
        let id = RequestID(number: number | 1 << 63)
        loop.execute { [core] in
            do throws(ServingError) {
                try core.value.submit(request, id: id, for: ReplyClosure(reply))
            } catch {
                reply(.failure(error))
            }
        }
        return id
    }

    /// The client has gone.
    package func cancel(_ id: RequestID) {
        loop.execute { [core] in core.value.cancel(id) }
    }

    /// Hands in a request that is not streamed and waits for its answer. A cancelled task cancels the request.
    package func infer(_ request: InferenceRequest) async throws(ServingError) -> ReplyEvent {
        let answer = loop.makePromise(of: ReplyEvent.self)
        let id = submit(request) { answer.succeed($0) }
        let event = await withTaskCancellationHandler {
            try? await answer.futureResult.get()
        } onCancel: {
            cancel(id)
            answer.fail(CancellationError())
        }
        switch event {
        case .failure(let error)?: throw error
        case let event?: return event
        case nil: throw ServingError(499, "The client has gone.")
        }
    }

    /// What the worker says of its model.
    /// - Throws: 503 while it is not ready.
    package func description() async throws(ServingError) -> ModelDescription {
        let result = try? await loop.submit { [core] () -> Result<ModelDescription, ServingError> in
            core.value.description.map { .success($0) } ?? .failure(core.value.notReady)
        }.get()
        return try (result ?? .failure(.notReady(model))).get()
    }

    /// Counts a request that a front has answered.
    /// - Parameter code: the HTTP status that comes nearest.
    package func count(grpc code: Int, seconds: Double) {
        loop.execute { [core] in core.value.metrics.request(.grpc, code: code, seconds: seconds) }
    }
}

private final class ReplyClosure: ReplyReceiver {
    private let reply: @Sendable (ReplyEvent) -> Void
    init(_ reply: @escaping @Sendable (ReplyEvent) -> Void) { self.reply = reply }
    func receive(_ event: ReplyEvent, for id: RequestID) { reply(event) }
}

/// Another door to the model than HTTP.
package protocol InferenceFront: Sendable {
    /// Serves until `drain` is fulfilled: then takes nothing new, answers what it has taken and returns. Not told by
    /// cancellation, which would take the calls that it has along.
    /// - Throws: where it cannot serve. The model server then ends with status 1.
    func serve(_ core: InferenceCore, options: ModelServerOptions, until drain: EventLoopFuture<Void>) async throws
}
