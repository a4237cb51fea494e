import Foundation
import Hummingbird
import Testing

@testable import ObjectStorageFeature
@testable import Storage

@Test(.enabled(if: ProcessInfo.processInfo.environment["STORAGE_HARNESS"] != nil)) func harness() async throws {
    let root = ProcessInfo.processInfo.environment["STORAGE_HARNESS"]!
    let store = try DiskStore(root: root)
    let router = Router()
    ObjectStorageAPI(store: store, authority: FakeAuthority(), publicURL: { "http://127.0.0.1:18080" }).addRoutes(
        to: router)
    let app = Application(
        router: router, server: .http1(configuration: .init(additionalChannelHandlers: [ContinueHandler()])),
        configuration: .init(address: .hostname("127.0.0.1", port: 18080)))
    try await app.runService()
}

@Test(.enabled(if: ProcessInfo.processInfo.environment["REAL_SWIFT"] != nil)) func realSwift() async throws {
    try await withStorageFolder { folder in
        let server = StorageConfiguration.ObjectServer(
            host: "127.0.0.1:18090", authKind: .tempauth, authURL: "http://127.0.0.1:18090/auth/v1.0", tenant: "test",
            user: "tester", password: "testing", allowsHTTP: true)
        let client = try SwiftClient(server)
        let c = ContainerPath(tenant: "test", container: "cont")
        for i in 0..<50 { try makeFile("\(folder)/out/d é/\(i)%41.txt", "row \(i)") }
        try makeFile("\(folder)/out/empty", "")
        let configuration = StorageConfiguration(swift: [server])
        let stager = Stager(store: nil, configuration: configuration)
        let target = StageLocation.swift(host: server.host, tenant: "test", container: "cont", path: "runs/1")
        let e1 = try await refusal { _ = try await stager.stageOut("\(folder)/out", to: .swift(host: server.host, tenant: "test", container: "nope", path: ""), overwrite: true) }
        print("no container:", e1 as Any)
        print(try await stager.stageOut("\(folder)/out", to: target, overwrite: true))
        let e2 = try await refusal { _ = try await stager.stageOut("\(folder)/out", to: target, overwrite: false) }
        print("exists:", e2 as Any)
        try makeFile("\(folder)/big", "0123456789abcdef!")
        for _ in 0..<2 {
            let source = try OpenFile("\(folder)/big", 0, operation: "t")
            try await client.upload(source, to: c.object("runs/1/big"), segmentsAbove: 4, segmentSize: 5)
        }
        print(try await client.head(c.object("runs/1/big")) as Any)
        print(try await client.list(c, prefix: "").map { "\($0.name) \($0.size)" }.suffix(7))
        print(try await stager.stageIn(target, into: "\(folder)/in", mode: .copy))
        print(readFile("\(folder)/in/big") as Any, readFile("\(folder)/in/d é/7%41.txt") as Any, readFile("\(folder)/in/empty") as Any)
        let store = try DiskStore(root: "\(folder)/s")
        let service = StorageService(store: store, configuration: configuration, isEmbedded: { _ in false })
        let me = StorageIdentity(tenantID: "x", userID: "y", userName: "z", isAccountUser: false)
        for (text, need) in [("cont/runs/1", StorageNeed.readPrefix), ("cont/runs/1/big", .readObject), ("cont/none", .readPrefix), ("gone/x", .readPrefix), ("cont/x", .write), ("gone/x", .write)] {
            let uri = try StorageURI("obs://127.0.0.1:18090/v1/AUTH_test/\(text)", field: "f")
            let e = try await refusal { try await service.probe(uri, project: "p", as: me, need: need, field: "f") }
            print(text, need, e as Any)
        }
        let foreign = try StorageURI("obs://127.0.0.1:18090/v1/AUTH_other/x/y", field: "f")
        let e3 = try await refusal { try await service.probe(foreign, project: "p", as: me, need: .readPrefix, field: "f") }
        print("foreign", e3 as Any)
        try await client.delete(c.object("runs/1/big"))
        try await service.shutdown()
        try await client.shutdown()
    }
}
