import Foundation
import Resource
import Synchronization
import Testing

@testable import Storage

@Suite struct StagerTests {
    private func source(_ path: String) -> StageLocation { .embedded(tenant: "t", container: "c", path: path) }

    private func withStager(_ work: (Stager, DiskStore, ContainerPath, String) async throws -> Void) async throws {
        try await withStore { store, container in
            try await work(
                Stager(store: store, configuration: StorageConfiguration()), store, container, "\(store.root)/../work")
        }
    }

    private func isShared(_ path: String, _ content: ObjectContent?) -> Bool {
        guard let part = content?.parts.first else { return false }
        let inode = { (path: String) in
            try? FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        }
        return inode(path) == inode(part.path)
    }

    @Test(arguments: [StageMode.link, .copy])
    func bringsAFolderIn(_ mode: StageMode) async throws {
        try await withStager { stager, store, container, work in
            for name in ["src/train.py", "src/lib/util.py", "src/empty", "src2/no.py", "src/dir/"] {
                try await store.put(container.object(name), text: name.hasSuffix("empty") ? "" : name)
            }
            let seen = Mutex<[StageProgress]>([])
            let report = try await stager.stageIn(source("src"), into: "\(work)/deep/src", mode: mode) { progress in
                seen.withLock { $0.append(progress) }
            }
            #expect(report.files == 3)
            #expect(report.bytes == 27)
            #expect(readFile("\(work)/deep/src/lib/util.py") == "src/lib/util.py")
            #expect(readFile("\(work)/deep/src/empty") == "")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(work)/deep") == ["src"])
            #expect(seen.withLock { $0.last?.filesDone } == 3)
            let content = try await store.open(container.object("src/train.py"))
            if mode == .copy {
                #expect(!isShared("\(work)/deep/src/train.py", content))
                // The copy is the job's own: what it writes there stays there.
                try Data("changed".utf8).write(to: URL(fileURLWithPath: "\(work)/deep/src/train.py"))
                #expect(try await store.text(container.object("src/train.py")) == "src/train.py")
            }
            // Overwriting the object does not reach what was staged.
            try await store.put(container.object("src/lib/util.py"), text: "new")
            #expect(readFile("\(work)/deep/src/lib/util.py") == "src/lib/util.py")
        }
    }

    @Test func aSingleObjectGoesUnderItsOwnName() async throws {
        try await withStager { stager, store, container, work in
            try await store.put(container.object("data/iris.csv"), text: "1,2")
            try await store.put(container.object("data/iris.csv.bak"), text: "x")
            _ = try await stager.stageIn(source("data/iris.csv"), into: "\(work)/d", mode: .link)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(work)/d") == ["iris.csv"])
            let missing = try await refusal {
                _ = try await stager.stageIn(source("data/ir"), into: "\(work)/e", mode: .link)
            }
            #expect(missing?.code == .notFound)
            #expect(!FileManager.default.fileExists(atPath: "\(work)/e.partial"))
        }
    }

    @Test func largeObjectsAreJoinedAndTheirSegmentsLeftOut() async throws {
        try await withStager { stager, store, container, work in
            try await store.put(container.object("m/big/001"), text: "one ")
            try await store.put(container.object("m/big/002"), text: "two")
            try await store.put(container.object("m/big"), text: "", ObjectAttributes(manifest: "c/m/big"))
            try await store.put(container.object("m/small"), text: "s")
            try await store.put(container.object("m/seg_1"), text: "x")
            try await store.put(container.object("m/a"), text: "", ObjectAttributes(manifest: "c/m/seg_"))
            let report = try await stager.stageIn(source("m"), into: "\(work)/m", mode: .link)
            #expect(readFile("\(work)/m/big") == "one two")
            #expect(readFile("\(work)/m/a") == "x")
            #expect(report.files == 3)
            #expect(report.bytes == 9)
        }
    }

    @Test(arguments: [
        "data/../../etc/passwd", "data//etc/passwd", "data/a/./b", "data/..",
        "data/" + String(repeating: "x", count: 256),
    ])
    func namesThatLeadOutAreRefused(_ name: String) async throws {
        try await withStager { stager, store, container, work in
            try await store.put(container.object("data/fine"), text: "x")
            try await store.put(container.object(name), text: "x")
            let error = try await refusal {
                _ = try await stager.stageIn(source("data"), into: "\(work)/d", mode: .link)
            }
            #expect(error?.code == .invalid)
            #expect(error?.message.contains(name.excerpt) == true)
            #expect(!FileManager.default.fileExists(atPath: "\(work)/d"))
        }
    }

    @Test func aFileAndAFolderOfOneNameAreRefused() async throws {
        try await withStager { stager, store, container, work in
            try await store.put(container.object("data/x"), text: "file")
            try await store.put(container.object("data/x/y"), text: "in a folder")
            let error = try await refusal {
                _ = try await stager.stageIn(source("data"), into: "\(work)/d", mode: .link)
            }
            #expect(error?.message.contains("'data/x/y'") == true)
            // A marker that a console left for the folder is none.
            try await store.put(
                container.object("data/x"), text: "", ObjectAttributes(contentType: "application/directory"))
            #expect(try await stager.stageIn(source("data"), into: "\(work)/d", mode: .link).files == 1)
        }
    }

    @Test func cancellingLeavesNothing() async throws {
        try await withStager { stager, store, container, work in
            for index in 0..<200 { try await store.put(container.object("data/\(index)"), text: "x") }
            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        _ = try await stager.stageIn(source("data"), into: "\(work)/d", mode: .copy) { progress in
                            if progress.filesDone == 20 { withUnsafeCurrentTask { $0?.cancel() } }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(!FileManager.default.fileExists(atPath: "\(work)/d"))
            #expect(!FileManager.default.fileExists(atPath: "\(work)/d.partial"))
        }
    }

    @Test func aFolderInTheWayIsNotTouched() async throws {
        try await withStager { stager, store, container, work in
            try await store.put(container.object("data/x"), text: "new")
            try makeFile("\(work)/d/old", "old")
            let error1 = try await refusal {
                _ = try await stager.stageIn(source("data"), into: "\(work)/d", mode: .link)
            }
            #expect(
                error1
                    != nil)
            #expect(readFile("\(work)/d/old") == "old")
        }
    }

    @Test(arguments: [StageMode.link, .copy])
    func bringsOutputsOut(_ mode: StageMode) async throws {
        try await withStager { stager, store, container, work in
            try makeFile("\(work)/out/model.pt", "weights")
            try makeFile("\(work)/out/a/b/é.txt", "text")
            try makeFile("\(work)/out/empty", "")
            try makeFile("\(work)/secret", "secret")
            let manager = FileManager.default
            try manager.createSymbolicLink(atPath: "\(work)/out/latest", withDestinationPath: "a")
            try manager.createSymbolicLink(atPath: "\(work)/out/alias.pt", withDestinationPath: "model.pt")
            try manager.createSymbolicLink(atPath: "\(work)/out/escape", withDestinationPath: "../secret")
            try manager.createSymbolicLink(atPath: "\(work)/out/a/up", withDestinationPath: "..")
            try manager.createSymbolicLink(atPath: "\(work)/out/dangling", withDestinationPath: "nothing")
            let report = try await stager.stageOut("\(work)/out", to: source("runs/1"), mode: mode, overwrite: false)
            #expect(
                try await store.names(container).map { String($0) } == [
                    "runs/1/a/b/é.txt", "runs/1/alias.pt", "runs/1/empty", "runs/1/latest/b/é.txt", "runs/1/model.pt",
                ])
            #expect(report.files == 5)
            #expect(report.warnings.count == 4)
            #expect(try await store.text(container.object("runs/1/alias.pt")) == "weights")
            if mode == .copy {
                try Data("again".utf8).write(to: URL(fileURLWithPath: "\(work)/out/model.pt"))
                #expect(try await store.text(container.object("runs/1/model.pt")) == "weights")
            }
            let again = try await refusal {
                _ = try await stager.stageOut("\(work)/out", to: source("runs/1"), overwrite: false)
            }
            #expect(again?.code == .conflict)
            _ = try await stager.stageOut("\(work)/out", to: source("runs/1"), overwrite: true)
            #expect(try store.filesOnDisk(container).temporary == 0)
            let nowhere = try await refusal {
                _ = try await stager.stageOut(
                    "\(work)/out", to: .embedded(tenant: "t", container: "gone", path: ""), overwrite: true)
            }
            #expect(nowhere?.code == .notFound)
            #expect(try await stager.stageOut("\(work)/missing", to: source(""), overwrite: true).files == 0)
        }
    }

    @Test func mountedDirectories() async throws {
        try await withStager { stager, _, _, work in
            let nas = "\(work)/nas"
            try makeFile("\(nas)/data/x.csv", "1")
            try makeFile("\(work)/outside/y", "2")
            try FileManager.default.createSymbolicLink(atPath: "\(nas)/escape", withDestinationPath: "../outside")
            let data = StageLocation.folder(root: nas, path: "data")
            let linked = try await stager.stageIn(data, into: "\(work)/in/linked", mode: .link)
            #expect(linked.linkedTo?.hasSuffix("/nas/data") == true)
            #expect(readFile("\(work)/in/linked/x.csv") == "1")
            _ = try await stager.stageIn(data, into: "\(work)/in/copied", mode: .copy)
            try makeFile("\(work)/in/copied/x.csv", "changed")
            #expect(readFile("\(nas)/data/x.csv") == "1")
            _ = try await stager.stageIn(.folder(root: nas, path: "data/x.csv"), into: "\(work)/in/one", mode: .copy)
            #expect(readFile("\(work)/in/one/x.csv") == "1")
            for path in ["escape", "escape/y", "../outside"] {
                let error = try await refusal {
                    _ = try await stager.stageIn(.folder(root: nas, path: path), into: "\(work)/in/e", mode: .link)
                }
                #expect(error?.code == .forbidden, "\(path)")
            }
            try makeFile("\(work)/out/model", "m")
            let target = StageLocation.folder(root: nas, path: "models/1")
            _ = try await stager.stageOut("\(work)/out", to: target, overwrite: false)
            #expect(readFile("\(nas)/models/1/model") == "m")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(nas)/models/1") == ["model"])
            let error2 = try await refusal {
                _ = try await stager.stageOut("\(work)/out", to: target, overwrite: false)
            }
            #expect(
                error2?.code
                    == .conflict)
            let escape = try await refusal {
                _ = try await stager.stageOut("\(work)/out", to: .folder(root: nas, path: "escape/z"), overwrite: true)
            }
            #expect(escape?.code == .forbidden)
            #expect(!FileManager.default.fileExists(atPath: "\(work)/outside/z"))
        }
    }

    @Test func locationsTravelAsJSON() throws {
        let places: [StageLocation] = [
            source("a"), .swift(host: "h", tenant: "t", container: "c", path: ""), .folder(root: "/mnt", path: "x"),
        ]
        let data = try JSONEncoder().encode(places)
        #expect(try JSONDecoder().decode([StageLocation].self, from: data) == places)
        let configuration = try JSONDecoder().decode(
            StorageConfiguration.self, from: Data(#"{"nas": {"n": {"path": "/mnt", "projects": ["a"]}}}"#.utf8))
        #expect(configuration.nas["n"]?.projects == ["a"])
        #expect(configuration.allowFile == false)
    }
}

extension StagerTests {
    /// A program that runs on may exchange a folder for a link between the scan and the upload.
    @Test func aFileThatWasExchangedIsNotRead() async throws {
        try await withStore { store, container in
            let work = try #require(Files.resolved(store.root)) + "-work"
            try makeFile("\(work)/out/a/model", "mine")
            try makeFile("\(work)/secret/model", "secret")
            let scan = try FolderScan.scan("\(work)/out")
            let file = try #require(scan.files.first)
            try FileManager.default.removeItem(atPath: "\(work)/out/a")
            try FileManager.default.createSymbolicLink(atPath: "\(work)/out/a", withDestinationPath: "\(work)/secret")
            let error = try await refusal {
                _ = try store.putFile(file.path, at: container.object("m"), allowingLink: true)
            }
            #expect(error?.code == .conflict)
            #expect(try await store.object(container.object("m")) == nil)
        }
    }
}
