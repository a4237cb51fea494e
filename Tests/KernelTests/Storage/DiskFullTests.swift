import Foundation
import Resource
import Testing

@testable import Storage

/// On a real file system of 1 MiB. Mounting one takes root, which test machines and containers have.
@Suite(.enabled(if: getuid() == 0, "mounting a small file system takes root"), .serialized)
struct DiskFullTests {
    private func withSmallDisk(_ work: (String) async throws -> Void) async throws {
        try await withStorageFolder { folder in
            let disk = "\(folder)/disk"
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
            try run("/bin/mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk])
            do { try await work(disk) } catch {
                try? run("/bin/umount", ["-l", disk])
                throw error
            }
            try run("/bin/umount", ["-l", disk])
        }
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        let process = try Process.run(URL(fileURLWithPath: program), arguments: arguments)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) \(arguments)")
    }

    private let large = Pieces(pieces: Array(repeating: [UInt8](repeating: 7, count: 100_000), count: 20))

    @Test func anUploadFailsAndLeavesNothing() async throws {
        try await withSmallDisk { disk in
            let store = try DiskStore(root: "\(disk)/store")
            let container = ContainerPath(tenant: "t", container: "c")
            try await store.createContainer(container)
            try await store.put(container.object("before"), text: "before")
            let error = try await refusal { try await store.put(container.object("a/big"), body: large) }
            #expect(error?.code == .unavailable)
            #expect(error?.isDiskFull == true)
            #expect(try await store.names(container) == ["before"])
            #expect(try store.filesOnDisk(container) == (1, 0))
            try await store.put(container.object("after"), text: "after")
            #expect(try await store.text(container.object("after")) == "after")
        }
    }

    @Test func stagingNamesTheFileAndTheProgress() async throws {
        try await withSmallDisk { disk in
            try await withStore { store, container in
                try await store.put(container.object("data/1"), text: "small")
                try await store.put(container.object("data/2"), body: large)
                try await store.put(container.object("data/3"), text: "small")
                let stager = Stager(store: store, configuration: StorageConfiguration())
                let source = StageLocation.embedded(tenant: "t", container: "c", path: "data")
                let error = try await refusal {
                    _ = try await stager.stageIn(source, into: "\(disk)/in/data", mode: .link)
                }
                #expect(
                    error?.message.hasPrefix("no space left on device while fetching data/2 (1 of 3 files, ") == true)
                #expect(!FileManager.default.fileExists(atPath: "\(disk)/in/data"))
                #expect(!FileManager.default.fileExists(atPath: "\(disk)/in/data.partial"))
            }
        }
    }

    @Test func savingOutputsToAFullStoreFails() async throws {
        try await withSmallDisk { disk in
            try await withStorageFolder { folder in
                let store = try DiskStore(root: "\(disk)/store")
                let container = ContainerPath(tenant: "t", container: "c")
                try await store.createContainer(container)
                try makeFile("\(folder)/out/model.bin", String(repeating: "m", count: 2_000_000))
                let stager = Stager(store: store, configuration: StorageConfiguration())
                let error = try await refusal {
                    _ = try await stager.stageOut(
                        "\(folder)/out", to: .embedded(tenant: "t", container: "c", path: "m"), overwrite: true)
                }
                #expect(
                    error?.message.hasPrefix("no space left on device while storing m/model.bin (0 of 1 files, ")
                        == true)
                #expect(try await store.names(container).isEmpty)
            }
        }
    }
}
