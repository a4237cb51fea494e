import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Resource
import Synchronization
import Testing

@testable import ObjectStorageFeature
@testable import Storage

/// The client for foreign stores, against the embedded one over a real connection.
@Suite struct SwiftClientTests {
    /// Which requests fail, and how: the next so many.
    final class Trouble: Sendable {
        let rest = Mutex<(count: Int, status: HTTPResponse.Status)>((0, .ok))
        let logins = Mutex(0)

        func next() -> HTTPResponse.Status? {
            rest.withLock { rest in
                if rest.count == 0 { return nil }
                rest.count -= 1
                return rest.status
            }
        }
    }

    struct TroubleMaker: RouterMiddleware {
        typealias Context = BasicRequestContext
        let trouble: Trouble

        func handle(
            _ request: Request, context: Context, next: (Request, Context) async throws -> Response
        ) async throws -> Response {
            if request.uri.path.hasPrefix("/v2.0") || request.uri.path.hasPrefix("/auth") {
                trouble.logins.withLock { $0 += 1 }
            } else if let status = trouble.next() {
                return Response(status: status)
            }
            return try await next(request, context)
        }
    }

    private func withClient(
        _ kind: StorageConfiguration.AuthKind = .keystone2,
        _ work: @escaping @Sendable (SwiftClient, Trouble, DiskStore, StorageConfiguration) async throws -> Void
    ) async throws {
        try await withStorageFolder { folder in
            let store = try DiskStore(root: "\(folder)/store", isDurable: false)
            try await store.createContainer(ContainerPath(tenant: "t", container: "c"))
            let trouble = Trouble()
            let router = Router()
            router.add(middleware: TroubleMaker(trouble: trouble))
            ObjectStorageAPI(store: store, authority: FakeAuthority(), publicURL: { "http://unused" }).addRoutes(
                to: router)
            try await Application(router: router).test(.live) { test in
                let port = try #require(test.port)
                let auth = kind == .keystone2 ? "v2.0" : "auth/v1.0"
                let server = StorageConfiguration.ObjectServer(
                    host: "127.0.0.1:\(port)", authKind: kind, authURL: "http://127.0.0.1:\(port)/\(auth)",
                    tenant: "t", user: "alice", password: "secret", allowsHTTP: true)
                let client = try SwiftClient(server, pauses: [.milliseconds(1), .milliseconds(1)])
                do {
                    try await work(client, trouble, store, StorageConfiguration(swift: [server]))
                } catch {
                    try await client.shutdown()
                    throw error
                }
                try await client.shutdown()
            }
        }
    }

    private let container = ContainerPath(tenant: "t", container: "c")

    @Test(arguments: [StorageConfiguration.AuthKind.keystone2, .tempauth])
    func upAndDown(_ kind: StorageConfiguration.AuthKind) async throws {
        try await withClient(kind) { client, trouble, store, _ in
            let local = "\(store.root)/local"
            let text = String(repeating: "0123456789", count: 100_000)
            try makeFile(local, text)
            let path = container.object("dir é/a%b?c")
            try await client.upload(local, to: path)
            #expect(try await store.text(path) == text)
            #expect(try await client.head(path)?.size == 1_000_000)
            #expect(try await client.list(container, prefix: "dir").map(\.name) == [path.name])
            let size = try await client.download(path, to: "\(local)-2")
            #expect(size == 1_000_000)
            #expect(readFile("\(local)-2") == text)
            try await client.delete(path)
            try await client.delete(path)
            #expect(try await client.head(path) == nil)
            let error1 = try await refusal { try await client.download(path, to: "\(local)-3") }
            #expect(error1?.code == .notFound)
            #expect(!FileManager.default.fileExists(atPath: "\(local)-3"))
            #expect(trouble.logins.withLock { $0 } == 1)
        }
    }

    @Test func passingTroubleIsRiddenOut() async throws {
        try await withClient { client, trouble, store, _ in
            try await store.put(container.object("x"), text: "content")
            trouble.rest.withLock { $0 = (2, .serviceUnavailable) }
            #expect(try await client.head(container.object("x"))?.size == 7)
            trouble.rest.withLock { $0 = (3, .badGateway) }
            let error2 = try await refusal { _ = try await client.head(container.object("x")) }
            #expect(error2?.message.contains("502") == true)
            trouble.rest.withLock { $0 = (1, .unauthorized) }
            #expect(try await client.head(container.object("x"))?.size == 7)
            #expect(trouble.logins.withLock { $0 } == 2)
            trouble.rest.withLock { $0 = (1, .forbidden) }
            let error3 = try await refusal { _ = try await client.head(container.object("x")) }
            #expect(error3?.code == .forbidden)
            trouble.rest.withLock { $0 = (1, HTTPResponse.Status(code: 507)) }
            let error4 = try await refusal { _ = try await client.head(container.object("x")) }
            #expect(error4?.isDiskFull == true)
        }
    }

    @Test func largeFilesGoInSegments() async throws {
        try await withClient { client, _, store, _ in
            let local = "\(store.root)/local"
            let path = container.object("m/model.bin")
            for text in ["0123456789abcdef!", "shorter now"] {
                try makeFile(local, text)
                let source = try OpenFile(local, 0, operation: "test")
                try await client.upload(source, to: path, segmentsAbove: 4, segmentSize: 5)
                #expect(try await store.text(path) == text)
                #expect(try await client.head(path)?.size == Int64(text.count))
                try await client.download(path, to: "\(local)-2")
                #expect(readFile("\(local)-2") == text)
            }
            // The manifest and three segments: those of the first upload are gone.
            #expect(try await store.names(container).count == 4)
        }
    }

    @Test func stagingFromAndToAForeignStore() async throws {
        try await withClient { client, trouble, store, configuration in
            for index in 0..<30 { try await store.put(container.object("data/\(index).csv"), text: "row \(index)") }
            try await store.put(container.object("data/big/001"), text: "one ")
            try await store.put(container.object("data/big/002"), text: "two")
            try await store.put(container.object("data/big"), text: "", ObjectAttributes(manifest: "c/data/big"))
            try await store.put(container.object("data/empty"), text: "")
            let stager = Stager(store: nil, configuration: configuration)
            let source = StageLocation.swift(host: client.server.host, tenant: "t", container: "c", path: "data")
            let folder = "\(store.root)/in"
            trouble.rest.withLock { $0 = (1, .serviceUnavailable) }
            let report = try await stager.stageIn(source, into: folder, mode: .link)
            #expect(report.files == 32)
            #expect(readFile("\(folder)/7.csv") == "row 7")
            #expect(readFile("\(folder)/big") == "one two")
            #expect(readFile("\(folder)/empty") == "")

            let one = StageLocation.swift(host: client.server.host, tenant: "t", container: "c", path: "data/1.csv")
            #expect(try await stager.stageIn(one, into: "\(folder)1", mode: .copy).files == 1)

            let target = StageLocation.swift(host: client.server.host, tenant: "t", container: "c", path: "out")
            #expect(try await stager.stageOut(folder, to: target, overwrite: false).files == 32)
            #expect(try await store.text(container.object("out/big")) == "one two")
            let error5 = try await refusal { _ = try await stager.stageOut(folder, to: target, overwrite: false) }
            #expect(
                error5?.code
                    == .conflict)
            let nowhere = StageLocation.swift(host: client.server.host, tenant: "t", container: "no", path: "")
            let error6 = try await refusal { _ = try await stager.stageOut(folder, to: nowhere, overwrite: true) }
            #expect(
                error6?.code
                    == .notFound)
        }
    }

    @Test func refusesUnsafeConfiguration() throws {
        var server = StorageConfiguration.ObjectServer(
            host: "h", authKind: .keystone2, authURL: "http://h/v2.0", tenant: "t", user: "u", password: "p")
        #expect(throws: TakumiError.self) { try SwiftClient(server) }
        server.authURL = "https://h/v2.0"
        server.caFile = "/nowhere.pem"
        #expect(throws: TakumiError.self) { try SwiftClient(server) }
    }
}
