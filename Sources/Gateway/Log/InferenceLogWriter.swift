import Foundation
import Logging
import NIOPosix
import Synchronization

/// Appends lines to log files on a thread of its own. A file of 64 MiB is set aside as `.1`, the older ones as `.2` and `.3`.
final class InferenceLogWriter: Sendable {
    static let rotateAt = 64 << 20
    /// Bytes that may wait for the disk; more are dropped, since memory would be next.
    private static let limit = 64 << 20

    private struct State {
        var waiting: [String: [UInt8]] = [:]
        var size = 0
        var dropped = 0
        var isScheduled = false
    }

    private let pool: NIOThreadPool
    private let logger: Logger
    private let rotateAt: Int
    private let state = Mutex(State())
    /// Held while files are written, by whichever thread does.
    private let files = Mutex(())

    init(pool: NIOThreadPool, logger: Logger, rotateAt: Int = InferenceLogWriter.rotateAt) {
        self.pool = pool
        self.logger = logger
        self.rotateAt = rotateAt
    }

    /// From any thread; returns at once.
    /// - Parameter lines: Whole lines.
    func append(_ lines: [UInt8], to file: String) {
        let schedule = state.withLock { state in
            guard state.size + lines.count <= InferenceLogWriter.limit else {
                state.dropped += 1
                return false
            }
            state.size += lines.count
            state.waiting[file, default: []].append(contentsOf: lines)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if schedule {
            pool.submit { _ in self.drain() }
        }
    }

    /// Writes what waits.
    func drain() {
        files.withLock { _ in
            let (waiting, dropped) = state.withLock { state in
                defer { state = State() }
                return (state.waiting, state.dropped)
            }
            for (file, lines) in waiting { write(lines, to: file) }
            if dropped > 0 {
                logger.error("the disk is too slow for the inference log", metadata: ["dropped": "\(dropped)"])
            }
        }
    }

    private func write(_ lines: [UInt8], to file: String) {
        rotateIfNeeded(file)
        let descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return complain(file) }
        defer { close(descriptor) }
        var written = 0
        while written < lines.count {
            let count = lines.withUnsafeBytes { bytes in
                Foundation.write(descriptor, bytes.baseAddress.map { $0 + written }, lines.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return complain(file) }
            written += count
        }
    }

    private func rotateIfNeeded(_ file: String) {
        var status = stat()
        guard stat(file, &status) == 0, Int(status.st_size) >= rotateAt else { return }
        for number in stride(from: InferenceLog.kept, to: 1, by: -1) {
            rename("\(file).\(number - 1)", "\(file).\(number)")
        }
        rename(file, "\(file).1")
    }

    private func complain(_ file: String) {
        let reason = String(cString: strerror(errno))
        logger.error("the inference log cannot be written", metadata: ["file": "\(file)", "reason": "\(reason)"])
    }
}
