import Foundation
import Resource
import Testing

@testable import Storage

@Suite struct StorageServiceTests {
    private let account = StorageIdentity(tenantID: "svc", userID: "api", userName: "service", isAccountUser: false)

    private func withService(
        _ work: (StorageService, DiskStore, ContainerPath, (String, StorageNeed) async throws -> TakumiError?)
            async throws -> Void
    ) async throws {
        try await withStore { store, container in
            let nas = "\(store.root)-nas"
            try makeFile("\(nas)/data/train.py", "x")
            try FileManager.default.createSymbolicLink(atPath: "\(nas)/escape", withDestinationPath: "/etc")
            let service = StorageService(
                store: store,
                configuration: StorageConfiguration(
                    nas: ["n1": .init(path: nas), "n2": .init(path: nas, projects: ["other"])],
                    swift: [
                        .init(
                            host: "127.0.0.1:1", authKind: .tempauth, authURL: "http://127.0.0.1:1/auth/v1.0",
                            tenant: "x",
                            user: "u", password: "p", allowsHTTP: true)
                    ]),
                isEmbedded: { $0 == "store:8443" })
            try await work(service, store, container) { text, need in
                let uri = try StorageURI(text, field: "dataUri")
                return try await refusal {
                    try await service.probe(uri, project: "mine", as: account, need: need, field: "dataUri")
                }
            }
            try await service.shutdown()
        }
    }

    @Test func namesWhatIsWrongWithTheEmbeddedStore() async throws {
        try await withService { service, store, container, probe in
            let base = "obs://store:8443/v1/AUTH_t"
            try await store.put(container.object("src/train.py"), text: "x")
            let refused = try await probe("\(base)/c/src", .readPrefix)
            #expect(refused?.field == "dataUri")
            #expect(refused?.message.contains("add 'svc:api' to its X-Container-Read") == true)
            #expect(try await probe("\(base)/gone/src", .readPrefix)?.message.contains("'gone' does not exist") == true)

            try await store.updateContainer(container, ContainerChange(read: "svc:api"))
            #expect(try await probe("\(base)/c/src", .readPrefix) == nil)
            #expect(try await probe("\(base)/c", .readPrefix) == nil)
            #expect(try await probe("\(base)/c/src/train.py", .readPrefix) == nil)
            #expect(try await probe("\(base)/c/src/train.py", .readObject) == nil)
            #expect(try await probe("\(base)/c/src", .readObject)?.message.contains("nothing at 'src'") == true)
            #expect(try await probe("\(base)/c/sr", .readPrefix)?.message.contains("nothing at 'sr'") == true)
            #expect(try await probe("\(base)/c/out", .write)?.message.contains("X-Container-Write") == true)
            try await store.updateContainer(container, ContainerChange(write: "svc:*"))
            #expect(try await probe("\(base)/c/out", .write) == nil)

            let uri = try StorageURI("\(base)/c/src", field: "f")
            #expect(try await service.entryExists(uri, "train.py", project: "mine", field: "f"))
            for name in ["no.py", "", "../src/train.py", "/train.py", "./train.py", "train.py/"] {
                #expect(try await !service.entryExists(uri, name, project: "mine", field: "f"), "\(name)")
            }
        }
    }

    @Test func namesWhatIsWrongElsewhere() async throws {
        try await withService { service, _, _, probe in
            #expect(
                try await probe("obs://elsewhere/v1/AUTH_t/c", .readPrefix)?.message.contains(
                    "no object storage 'elsewhere'") == true)
            let down = try await probe("obs://127.0.0.1:1/v1/AUTH_t/c/x", .readPrefix)
            #expect(down?.code == .unavailable)
            #expect(down?.field == "dataUri")
            #expect(try await probe("nas://n1:/data", .readPrefix) == nil)
            #expect(try await probe("nas://n1:/data/train.py", .readObject) == nil)
            #expect(try await probe("nas://n1:/data", .readObject)?.message.contains("nothing at") == true)
            #expect(try await probe("nas://n1:/none", .readPrefix)?.message.contains("nothing at") == true)
            #expect(try await probe("nas://n1:/new/place", .write) == nil)
            #expect(try await probe("nas://n1:/escape/passwd", .readObject)?.message.contains("leads out") == true)
            #expect(try await probe("nas://n1:/escape/x", .write)?.message.contains("leads out") == true)
            #expect(
                try await probe("nas://n2:/data", .readPrefix)?.message.contains("no NAS 'n2' in this project") == true)
            #expect(try await probe("nas://n3:/data", .readPrefix)?.message.contains("no NAS 'n3'") == true)
            #expect(try await probe("s3://b/k", .readPrefix)?.message.contains("not supported") == true)
            #expect(try await probe("file:///etc", .readPrefix)?.message.contains("not allowed") == true)
            let uri = try StorageURI("nas://n1:/data", field: "f")
            #expect(try await service.entryExists(uri, "train.py", project: "mine", field: "f"))
            #expect(try await !service.entryExists(uri, "../data/train.py", project: "mine", field: "f"))
        }
    }
}
