import NIOCore

/// Asks the gate, for event loops, which cannot wait.
final class GateKeeper: Sendable {
    let checkInterval: TimeAmount
    private let gate: any AppGate
    private let (questions, continuation) = AsyncStream.makeStream(of: (@Sendable () async -> Void).self)

    init(_ gate: any AppGate, checkInterval: TimeAmount) {
        self.gate = gate
        self.checkInterval = checkInterval
    }

    /// - Parameter then: To be continued on the caller's event loop.
    func ask(_ request: AppRequest, then: @escaping @Sendable (AppAnswer) -> Void) {
        let gate = gate
        continuation.yield { then(await gate.open(request)) }
    }

    func ask(_ pass: AppPass, then: @escaping @Sendable (_ mayStay: Bool) -> Void) {
        continuation.yield { then(await pass.mayStay()) }
    }

    /// Works until it is cancelled, and is over when all that was asked has ended: no answer comes to an event loop that is
    /// no more.
    func run() async {
        await withDiscardingTaskGroup { tasks in
            for await question in questions { tasks.addTask { await question() } }
            tasks.cancelAll()
        }
    }
}
