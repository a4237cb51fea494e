import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ObjectStorageFeature
@testable import Storage

/// A connection that says exactly what the test wants, and breaks when it wants.
private final class RawConnection: Sendable {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { _ = Glibc.close(descriptor) }

    /// The descriptor itself stays until the end: closed twice, it would be another test's file the second time.
    func hangUp() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    func send(_ text: String) { _ = Glibc.send(descriptor, text, text.utf8.count, 0) }

    /// Reads until `text` came. On a thread of its own: Swift's few threads must stay free for the server under test.
    func read(until text: String) async throws -> String {
        try await BlockingWork.run { [self] in receive(until: text) }
    }

    private func receive(until text: String) -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while !String(decoding: bytes, as: UTF8.self).contains(text) {
            let count = recv(descriptor, &piece, piece.count, 0)
            if count <= 0 { break }
            bytes += piece[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

@Suite struct BrokenUploadTests {
    private let container = ContainerPath(tenant: "t", container: "c")

    private func withServer(_ work: @escaping @Sendable (Int, DiskStore) async throws -> Void) async throws {
        try await withStorageFolder { folder in
            let store = try DiskStore(root: "\(folder)/store", isDurable: false)
            try await store.createContainer(container)
            let router = Router()
            ObjectStorageAPI(store: store, authority: FakeAuthority(), publicURL: { "" }).addRoutes(to: router)
            let app = Application(
                router: router,
                server: .http1(configuration: .init(additionalChannelHandlers: [ContinueHandler()])),
                configuration: .init(address: .hostname("127.0.0.1", port: 0)))
            try await app.test(.live) { client in try await work(try #require(client.port), store) }
        }
    }

    private func head(_ fields: String) -> String {
        "PUT /v1/AUTH_t/c/x HTTP/1.1\r\nHost: h\r\nX-Auth-Token: alice\r\n\(fields)\r\n\r\n"
    }

    /// Waits for the server, which learns of what happens on a connection in its own time.
    private func until(_ store: DiskStore, temporary count: Int) async throws {
        for _ in 0..<500 where try store.filesOnDisk(container).temporary != count {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try store.filesOnDisk(container).temporary == count)
    }

    @Test(arguments: [("Content-Length: 10", "01234"), ("Transfer-Encoding: chunked", "5\r\n01234\r\n")])
    func aClientThatVanishesLeavesNothing(_ field: String, _ part: String) async throws {
        try await withServer { port, store in
            let connection = try RawConnection(port: port)
            connection.send(head(field) + part)
            try await until(store, temporary: 1)
            connection.hangUp()
            try await until(store, temporary: 0)
            #expect(try store.filesOnDisk(container) == (0, 0))
            #expect(try await store.names(container).isEmpty)
        }
    }

    @Test func aLengthIsNeeded() async throws {
        try await withServer { port, _ in
            let connection = try RawConnection(port: port)
            connection.send(head("Accept: */*"))
            #expect(try await connection.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 411 "))
        }
    }

    @Test func clientsThatAskAreToldToContinue() async throws {
        try await withServer { port, store in
            let connection = try RawConnection(port: port)
            connection.send(head("Content-Length: 5\r\nExpect: 100-continue"))
            #expect(try await connection.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            connection.send("hello")
            #expect(try await connection.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 201 Created\r\n"))
            #expect(try await store.text(container.object("x")) == "hello")
        }
    }

    @Test func namesComeThroughTheServerAsTheyAreSent() async throws {
        try await withServer { port, store in
            for name in ["a//b", "a/../b", "./c", "d%2f..%2fe", "..", "f%3F?x=1", "g#h"] {
                let connection = try RawConnection(port: port)
                connection.send(
                    "PUT /v1/AUTH_t/c/\(name) HTTP/1.1\r\nHost: h\r\nX-Auth-Token: alice\r\nContent-Length: 1\r\n\r\nx")
                #expect(try await connection.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 201 "), "\(name)")
            }
            #expect(try await store.names(container) == ["..", "./c", "a/../b", "a//b", "d/../e", "f?", "g#h"])
        }
    }
}
