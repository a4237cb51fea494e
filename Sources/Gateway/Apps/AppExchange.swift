import NIOCore

/// A request that goes to a user's program, by the gate's leave.
final class AppExchange: Exchange {
    /// As it came; let go once it is written.
    var head: ByteBuffer
    /// nil until the gate has decided.
    var pass: AppPass?
    /// When the gate is asked again; never while it is being asked.
    var checkAt = NIODeadline.distantFuture

    init(started: NIODeadline, head: UnsafeRawBufferPointer) {
        self.head = ByteBuffer(bytes: head)
        super.init(started: started)
    }

    override var app: AppExchange? { self }
}

extension AppRequest {
    /// - Parameters:
    ///   - bytes: What the head's ranges are of: lines that were found to be headers.
    init(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer, isTLS: Bool) {
        self.init(
            method: bytes.text(head.methodRange), target: bytes.text(head.target), isTLS: isTLS,
            isUpgrade: head.wantsWebSocket)
        var lines = HeadLines(bytes)
        _ = lines.next()
        while let line = lines.next(), let (name, value) = HeadLines.split(bytes, line) {
            headers.append((bytes.text(name), bytes.text(value)))
        }
    }
}
