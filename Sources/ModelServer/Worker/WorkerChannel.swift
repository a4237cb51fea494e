import NIOCore

/// The last handler of the worker's connection: hands on frames, and tells when the connection has ended.
final class WorkerChannel: ChannelInboundHandler {
    typealias InboundIn = WorkerFrame

    private let frame: (WorkerFrame) throws -> Void
    private let failed: (String) -> Void
    private let closed: () -> Void

    init(
        frame: @escaping (WorkerFrame) throws -> Void, failed: @escaping (String) -> Void,
        closed: @escaping () -> Void
    ) {
        self.frame = frame
        self.failed = failed
        self.closed = closed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try frame(unwrapInboundIn(data))
        } catch {
            failed("\(error)")
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Broken pipes and resets follow from its end, of which its process says more.
        guard let error = error as? MalformedFrame else { return context.close(promise: nil) }
        failed(error.description)
    }

    func channelInactive(context: ChannelHandlerContext) { closed() }
}
