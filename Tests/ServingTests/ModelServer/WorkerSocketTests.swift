import Foundation
import NIOCore
import Testing

@testable import ModelServer

struct WorkerSocketTests {
    @Test func everyHomeHasAPathThatASocketTakes() throws {
        for length in 60...130 {
            let base = "/tmp/takumi-test-\(getpid())-"
            let scratch = base + String(repeating: "x", count: length - base.count)
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: scratch) }
            let socket = try WorkerSocket(scratch: scratch)
            defer { socket.remove() }
            _ = try SocketAddress(unixDomainSocketPath: socket.path)
        }
    }
}
