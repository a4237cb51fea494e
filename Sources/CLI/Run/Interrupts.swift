// Dispatch sources may be used from any thread, which their module does not say yet.
@preconcurrency import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Ctrl-C as values, instead of as the end of the process.
enum Interrupts {
    /// From this call on until the process ends.
    static func stream() -> AsyncStream<Void> {
        signal(SIGINT, SIG_IGN)
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { continuation.yield() }
        source.activate()
        // The source lives as long as somebody listens.
        continuation.onTermination = { _ in source.cancel() }
        return stream
    }
}
