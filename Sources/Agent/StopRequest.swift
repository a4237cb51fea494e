import Dispatch
import Foundation
import Synchronization

/// Remembers that the task is to stop, and wakes whoever waits: by a descriptor for loops that poll, by a callback for
/// async work.
final class StopRequest: Sendable {
    private let requested = Mutex(false)
    private let readEnd: Int32
    private let writeEnd: Int32
    private let callbacks = Mutex<[@Sendable () -> Void]>([])

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw CocoaError(.fileWriteUnknown) }
        (readEnd, writeEnd) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    var isRequested: Bool { requested.withLock { $0 } }
    /// Readable from the request on.
    var descriptor: Int32 { readEnd }

    func request() {
        let first = requested.withLock { requested in
            defer { requested = true }
            return !requested
        }
        guard first else { return }
        _ = write(writeEnd, [1], 1)
        for callback in callbacks.withLock({ $0 }) { callback() }
    }

    /// Calls back once, at once where the request was made already.
    func onRequest(_ callback: @escaping @Sendable () -> Void) {
        callbacks.withLock { $0.append(callback) }
        if isRequested { callback() }
    }
}
