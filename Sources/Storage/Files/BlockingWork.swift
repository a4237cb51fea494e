import Dispatch
import Resource

/// Runs blocking file work on Dispatch's threads, so that the few threads of Swift's concurrency never wait for a disk
/// or a lock. NIO's thread pool was rejected: it must be shut down by its owner, and a value type has no owner.
package enum BlockingWork {
    private static let queue = DispatchQueue(label: "takumi.storage", attributes: .concurrent)

    /// - Throws: `TakumiError`; a failed system call becomes one.
    package static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(
                    with: Result {
                        do { return try work() } catch let error as SystemError { throw error.takumi }
                    })
            }
        }
    }
}
