import NIOCore

/// Who asked for the answer that comes on an upstream connection. Called on the event loop only.
protocol ResponseReceiver: AnyObject {
    /// Whether more of the answer can be taken; if not, `resumeReading` is called on the connection later.
    var takesMore: Bool { get }
    /// - Parameter bytes: What the head's ranges are of. Valid during the call only.
    func receive(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer)
    func receive(_ data: ByteBuffer)
    /// Nothing more comes for now.
    func receiveFlush()
    /// The answer is whole, and the connection is somebody else's already.
    func receiveEnd()
    /// The connection takes more of the request.
    func upstreamWritable()
    /// In a tunnel: the other side will send nothing more.
    func upstreamInputClosed()
    /// - Parameter answered: Whether something of an answer had come.
    func upstreamClosed(answered: Bool, notHTTP: Bool)
}
