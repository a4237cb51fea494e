import Testing

@testable import CLI

@Suite struct CLIStoreTests {
    private let info: StoreInfo

    init() throws {
        info = try StoreInfo(
            .object([
                "storage": .object([
                    "obsUri": .string("obs://127.0.0.1:8443/v1/AUTH_t1"), "tenantId": .string("t1"),
                    "defaultContainer": .string("easymaker"),
                    "serviceAccount": .object(["tenantId": .string("s"), "apiUserId": .string("u")]),
                ])
            ]))
    }

    @Test func bothFormsOfAPlaceAreTheSame() throws {
        let place = RemotePath(tenant: "t1", container: "easymaker", path: "runs/x")
        #expect(try info.parse("easymaker/runs/x") == place)
        #expect(try info.parse("obs://127.0.0.1:8443/v1/AUTH_t1/easymaker/runs/x") == place)
        #expect(info.uri(of: place) == "obs://127.0.0.1:8443/v1/AUTH_t1/easymaker/runs/x")
        #expect(try info.parse("easymaker") == RemotePath(tenant: "t1", container: "easymaker", path: ""))
        // By another of its names, or at the port of an earlier start.
        #expect(try info.parse("obs://localhost:9999/v1/AUTH_t2/c").tenant == "t2")
        #expect(
            try info.parse("obs://takumi.lab/v1/AUTH_t1/c", alsoKnownAs: "https://takumi.lab:8443").container == "c")
    }

    @Test(arguments: [
        "obs://elsewhere/v1/AUTH_t1/c/x", "obs://127.0.0.1:8443/v1/c/x", "obs://127.0.0.1:8443/v1/AUTH_t1/",
        "nas://n:/x",
        "", "/x",
    ])
    func aPlaceThatIsNotOursIsRefused(text: String) {
        let failure = #expect(throws: CommandFailure.self) { try info.parse(text) }
        #expect(failure?.status == 64)
    }

    @Test func aSlashAtTheEndMeansAFolder() throws {
        let folder = try info.parse("c/models/")
        #expect(folder.saysFolder && folder.folderPrefix == "models/" && folder.trimmedPath == "models")
        #expect(folder.appending("w.pt").path == "models/w.pt")
        let container = try info.parse("c")
        #expect(container.saysFolder && container.folderPrefix == "" && container.appending("w.pt").path == "w.pt")
    }

    @Test(arguments: [
        ("./iris", "c/iris", CopyDirection.up), ("c/iris", "./iris", .down), ("obs://h/v1/AUTH_t/c", "out", .down),
        ("w.pt", "obs://h/v1/AUTH_t/c/", .up), ("iris", "c/iris", .up), ("c/x", "out", .down), ("c/x", ".", .down),
    ])
    func itIsClearWhichOfTheTwoIsRemote(source: String, destination: String, direction: CopyDirection) throws {
        #expect(try CopyDirection(source, destination, exists: { $0 == "iris" }) == direction)
    }

    @Test(arguments: [("./a", "./b"), ("/a", "~/b"), ("obs://h/v1/AUTH_t/c", "obs://h/v1/AUTH_t/d")])
    func twoPlacesOfOneKindAreRefused(source: String, destination: String) {
        #expect(throws: CommandFailure.self) { try CopyDirection(source, destination, exists: { _ in true }) }
    }

    @Test func aFolderKeepsItsShape() throws {
        let entries = ["m/a.pt", "m/deep/b.pt"].map { StoreEntry(name: $0, bytes: 2) }
        let plan = try DownloadPlan(folder: entries, prefix: "m/", into: "out")
        #expect(plan.items.map(\.path) == ["out/a.pt", "out/deep/b.pt"])
        #expect(plan.bytes == 4)
    }

    @Test(arguments: ["m/../../etc/passwd", "m//x", "m/./x"])
    func aNameCannotLeaveTheFolder(name: String) {
        #expect(throws: CommandFailure.self) {
            try DownloadPlan(folder: [StoreEntry(name: name)], prefix: "m/", into: "out")
        }
    }

    @Test func segmentsComeWithTheirFile() {
        let names = ["big.bin", "big.bin/001", "big.bin/002", "notes/001", "a/b", "a/b/x"]
        let kept = DownloadPlan.withoutSegments(names.map { StoreEntry(name: $0) }).map(\.name)
        #expect(kept == ["big.bin", "notes/001", "a/b", "a/b/x"])
    }

    @Test func theServiceAccountIsAllowedOnce() {
        var policy = AccessHeaders(read: "a:b, s:u", write: "")
        #expect(!policy.allows(info.serviceGrant))
        policy.allow(info.serviceGrant)
        #expect(policy == AccessHeaders(read: "a:b, s:u", write: "s:u"))
        #expect(policy.allows(info.serviceGrant))
    }

    @Test func theStoresRefusalsAreInWords() {
        let place = RemotePath(tenant: "t", container: "c", path: "x")
        let html = "<html><h1>Conflict</h1><p>There was a conflict.</p></html>"
        #expect(
            "\(StoreRefusal(status: 404, text: .init(), place: place))" == "c/x: there is no such object or container")
        #expect(
            "\(StoreRefusal(status: 409, text: .init(html.utf8), place: place))"
                == "c/x: Conflict There was a conflict.")
        #expect(StoreRefusal(status: 503, text: .init(), place: nil).isTransient)
        #expect(!StoreRefusal(status: 507, text: .init(), place: nil).isTransient)
    }
}
