import Foundation
import Resource

/// A datagram socket on which agents say "look at workload X": a hint that saves the engine from polling often.
///
/// A lost hint is harmless, since the engine looks at everything every second anyway. The socket has an abstract name, so
/// it needs no file and no short path.
package final class AgentNews: Sendable {
    package let name: String
    package let messages: AsyncStream<String>
    private let descriptor: Int32

    package init(home: String) throws {
        // FNV-1a of the home's path: two servers on one machine have two homes.
        let hash = home.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        name = "takumi-\(String(hash, radix: 36))"
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        let bound = AgentNews.withAddress(name) { bind(descriptor, $0, $1) }
        guard bound == 0 else {
            close(descriptor)
            // The kernel frees the name with the process that held it, so this cannot be a server that was killed.
            throw TakumiError(.conflict, "another server already uses \(home); stop it or choose another --home")
        }
        self.descriptor = descriptor
        let (messages, continuation) = AsyncStream.makeStream(of: String.self)
        self.messages = messages
        // A thread, since the only portable way to be woken by a socket here without NIO is to block on it.
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 256)
            while case let count = recv(descriptor, &buffer, buffer.count, 0),
                count > 0 || (count < 0 && errno == EINTR)
            {
                if count > 0 { continuation.yield(String(decoding: buffer[..<count], as: UTF8.self)) }
            }
            close(descriptor)
            continuation.finish()
        }
    }

    package func finish() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Tells a server, if one listens. Never waits.
    package static func post(_ message: String, to name: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(message.utf8)
        _ = withAddress(name) { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
    }

    private static func withAddress<T>(_ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(name.utf8.prefix(100))
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            // A leading NUL byte makes the name abstract.
            for (index, byte) in bytes.enumerated() { path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + bytes.count)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
