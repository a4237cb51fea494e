import Foundation
import Testing

@testable import Storage

@Suite struct CrashSafetyTests {
    @Test func leftoversAreIgnoredAndSwept() async throws {
        try await withStorageFolder { folder in
            let later = Timestamp(ticks: Timestamp.now().ticks + 2 * 3600 * 100_000)
            let container = ContainerPath(tenant: "t", container: "c")
            let store = try DiskStore(root: "\(folder)/s", isDurable: false)
            try await store.createContainer(container)
            try await store.put(container.object("kept"), text: "kept")
            // As a kill leaves them: an upload in progress, a content whose record never came, a container half made, the
            // folders of a name that was never named.
            let draft = "\(store.layout.temporary)/0123"
            try makeFile(draft, "partial")
            let layout = store.layout.container(container)
            try makeFile(layout.data("ab00"), "orphan")
            try makeFile("\(store.layout.temporary)/4567/container.json", "{}")
            try FileManager.default.createDirectory(atPath: "\(layout.names)/da/db", withIntermediateDirectories: true)

            let reopened = try DiskStore(root: "\(folder)/s", isDurable: false, clock: { later })
            #expect(try await reopened.names(container) == ["kept"])
            #expect(try await reopened.list(container, ListQuery(delimiter: "/")).map(\.name) == ["kept"])
            #expect(try await reopened.containers("t").map(\.name) == ["c"])
            // A file that another process is writing right now is locked, and stays.
            let running = try TemporaryFile(in: store.layout.temporary, operation: "test")
            #expect(try await store.sweep() == 0)
            #expect(try await reopened.sweep() == 1)
            #expect(try store.filesOnDisk(container) == (1, 1))
            #expect(FileManager.default.fileExists(atPath: running.path))
            #expect(try await reopened.text(container.object("kept")) == "kept")
        }
    }

    @Test func racingWritersLeaveOneContent() async throws {
        try await withStore { store, container in
            let other = try DiskStore(root: store.root, isDurable: false)
            let path = container.object("same/name")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let store = index % 2 == 0 ? store : other
                        if index % 10 == 9 {
                            _ = try? await store.deleteObject(path)
                        } else {
                            try await store.put(path, text: "content \(index)")
                            // Whole or absent, never mixed or half.
                            let text = try await store.text(path)
                            #expect(text == nil || text?.hasPrefix("content ") == true)
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await store.put(path, text: "last")
            #expect(try store.filesOnDisk(container) == (1, 0))
            #expect(try await store.names(container) == ["same/name"])
        }
    }

    @Test func deletingAContainerRacesWithUploads() async throws {
        try await withStore { store, container in
            for round in 0..<30 {
                async let upload: Void = { _ = try? await store.put(container.object("x"), text: "\(round)") }()
                async let removal: Void = { try? await store.deleteContainer(container) }()
                _ = await (upload, removal)
                if try await store.container(container) == nil {
                    #expect(try await store.object(container.object("x")) == nil)
                    try await store.createContainer(container)
                } else {
                    #expect(try await store.text(container.object("x")) == "\(round)")
                    try await store.deleteObject(container.object("x"))
                }
            }
            #expect(try store.filesOnDisk(container) == (0, 0))
        }
    }
}
