import Foundation
import Resource
import Testing

@testable import Storage

@Suite struct DiskStoreTests {
    @Test func storesAndReadsBack() async throws {
        try await withStore { store, container in
            let path = container.object("a/b.txt")
            let info = try await store.put(
                path, ObjectAttributes(contentType: "text/plain", headers: ["x-object-meta-k": "v"]),
                body: Pieces(pieces: [Array("hello ".utf8), Array("world".utf8)]))
            #expect(info.size == 11)
            #expect(info.etag == "5eb63bbbe01eeed093cb22bb8f5acdc3")
            #expect(try await store.object(path) == info)
            #expect(try await store.text(path) == "hello world")
            #expect(try await store.text(path, 6..<9) == "wor")
            #expect(try await store.container(container)?.bytesUsed == 11)
            #expect(try await store.account("t").objectCount == 1)
        }
    }

    @Test func namesAreBytesAndNothingElse() async throws {
        try await withStore { store, container in
            let names = [
                "a", "a/b", "a/", "/a", "//", "..", "../x", "./.", "d", "f", "a/../b", "e\u{301}", "é", " ", "\n", "\\",
                "%2F",
                String(repeating: "x", count: 255), String(repeating: "y", count: 1024),
                "deep/" + String(repeating: "z", count: 300) + "/end",
                String(repeating: "p/", count: 512), "container.json", "日本語/ファイル", "/\u{301}",
            ]
            for name in names { try await store.put(container.object(name), text: name) }
            for name in names {
                #expect(try await store.text(container.object(name))?.utf8.elementsEqual(name.utf8) == true)
            }
            let listed = try await store.names(container)
            let expected = names.sorted { Names.precedes($0.utf8, $1.utf8) }
            #expect(listed.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
            #expect(try await store.container(container)?.objectCount == names.count)
            for name in names { try await store.deleteObject(container.object(name)) }
            #expect(try await store.names(container).isEmpty)
            #expect(try store.filesOnDisk(container) == (0, 0))
            try await store.deleteContainer(container)
        }
    }

    @Test(arguments: ["", "a\u{0}b", String(repeating: "x", count: 1025)])
    func refusesNames(_ name: String) async throws {
        try await withStore { store, container in
            let error1 = try await refusal { try await store.put(container.object(name), text: "x") }
            #expect(error1?.code == .invalid)
        }
    }

    @Test(arguments: ["", "a/b", "a\u{0}", String(repeating: "x", count: 255)])
    func refusesContainers(_ name: String) async throws {
        try await withStore { store, _ in
            let path = ContainerPath(tenant: "t", container: name)
            let error2 = try await refusal { try await store.createContainer(path) }
            #expect(error2?.code == .invalid)
        }
    }

    @Test(arguments: ["", "..", ".x", "a/b", "a b", "é"])
    func refusesTenants(_ tenant: String) async throws {
        try await withStore { store, _ in
            let path = ContainerPath(tenant: tenant, container: "c")
            let error3 = try await refusal { try await store.createContainer(path) }
            #expect(error3?.code == .invalid)
        }
    }

    @Test func overwritingLeavesLinksOfTheOldContentAlone() async throws {
        try await withStore { store, container in
            let path = container.object("model.bin")
            let first = try await store.put(path, text: "old")
            let content = try #require(try await store.open(path))
            let link = "\(store.root)/linked"
            try FileManager.default.linkItem(atPath: content.parts[0].path, toPath: link)
            let second = try await store.put(path, text: "new one")
            #expect(second.timestamp > first.timestamp)
            #expect(readFile(link) == "old")
            #expect(try await store.text(path) == "new one")
            // A reader that was there before reads on.
            var reader = content.reader()
            #expect(try await reader.next().map { String(buffer: $0) } == "old")
            #expect(try store.filesOnDisk(container) == (1, 0))
        }
    }

    @Test func nothingOfABrokenUploadIsVisible() async throws {
        try await withStore { store, container in
            let path = container.object("x")
            try await store.put(path, text: "before")
            await #expect(throws: Pieces.Vanished.self) {
                try await store.put(path, body: Pieces(pieces: [[1, 2, 3]], vanishes: true))
            }
            let short = try await refusal {
                try await store.put(path, text: "abc", condition: UploadCondition(length: 4))
            }
            #expect(short?.field == "Content-Length")
            let wrong = try await refusal {
                try await store.put(
                    path, text: "abc", condition: UploadCondition(etag: String(repeating: "0", count: 32)))
            }
            #expect(wrong?.field == "ETag")
            let large = try await refusal {
                try await store.put(path, text: "abc", condition: UploadCondition(length: DiskStore.largestObject + 1))
            }
            #expect(large?.code == .tooLarge)
            #expect(try await store.text(path) == "before")
            #expect(try store.filesOnDisk(container) == (1, 0))
        }
    }

    @Test func conditionsAreChecked() async throws {
        try await withStore { store, container in
            let path = container.object("x")
            let isNew = UploadCondition(isNew: true)
            try await store.put(path, text: "1", condition: isNew)
            let error4 = try await refusal { try await store.put(path, text: "2", condition: isNew) }
            #expect(error4?.code == .conflict)
            #expect(try await store.text(path) == "1")
            try await store.put(
                path, text: "abc", condition: UploadCondition(length: 3, etag: "900150983CD24FB0D6963F7D28E17F72"))
        }
    }

    @Test func missingThingsAreNotFound() async throws {
        try await withStore { store, container in
            let nowhere = ContainerPath(tenant: "t", container: "nowhere")
            let error5 = try await refusal { try await store.put(nowhere.object("x"), text: "x") }
            #expect(error5?.code == .notFound)
            let error6 = try await refusal { try await store.deleteObject(container.object("x")) }
            #expect(error6?.code == .notFound)
            let error7 = try await refusal { try await store.deleteContainer(nowhere) }
            #expect(error7?.code == .notFound)
            let error8 = try await refusal { _ = try await store.list(nowhere) }
            #expect(error8?.code == .notFound)
            #expect(try await store.object(nowhere.object("x")) == nil)
            #expect(try await store.open(container.object("x")) == nil)
            #expect(try await store.container(nowhere) == nil)
            #expect(try await store.account("nobody").containerCount == 0)
        }
    }

    @Test func containersHaveALife() async throws {
        try await withStore { store, container in
            #expect(try await store.createContainer(container) == false)
            try await store.updateContainer(
                container,
                ContainerChange(
                    headers: ["x-container-meta-a": "1", "x-container-meta-b": "2"], read: "t:u", write: "*:*"))
            try await store.createContainer(container, ContainerChange(headers: ["x-container-meta-a": ""], read: ""))
            let info = try #require(try await store.container(container))
            #expect(info.headers == ["x-container-meta-b": "2"])
            #expect(info.policy.readHeader == "")
            #expect(info.policy.writeHeader == "*:*")
            let error9 = try await refusal { try await store.updateContainer(container, ContainerChange(read: "bad")) }
            #expect(
                error9?.code
                    == .invalid)
            try await store.put(container.object("x"), text: "x")
            let error10 = try await refusal { try await store.deleteContainer(container) }
            #expect(error10?.code == .conflict)
            try await store.deleteObject(container.object("x"))
            try await store.deleteContainer(container)
            #expect(try await store.containers("t").isEmpty)
            #expect(try await store.createContainer(container))
        }
    }

    @Test func metadataIsReplacedWhole() async throws {
        try await withStore { store, container in
            let path = container.object("x")
            let first = try await store.put(
                path, text: "x", ObjectAttributes(contentType: "a/b", headers: ["x-object-meta-a": "1"]))
            try await store.updateObject(path, contentType: nil, headers: ["x-object-meta-b": "2"])
            let info = try #require(try await store.object(path))
            #expect(info.headers == ["x-object-meta-b": "2"])
            #expect(info.contentType == "a/b")
            #expect(info.timestamp > first.timestamp)
            #expect(try await store.text(path) == "x")
        }
    }

    @Test func copiesShareTheirBytes() async throws {
        try await withStore { store, container in
            let other = ContainerPath(tenant: "t", container: "other")
            try await store.createContainer(other)
            let source = container.object("x")
            try await store.put(
                source, text: "content", ObjectAttributes(contentType: "a/b", headers: ["x-object-meta-a": "1"]))
            let copied = try await store.copy(
                source, to: other.object("y"), ObjectAttributes(headers: ["x-object-meta-b": "2"]))
            #expect(copied.headers == ["x-object-meta-a": "1", "x-object-meta-b": "2"])
            let fresh = try await store.copy(source, to: other.object("z"), isFresh: true)
            #expect(fresh.headers.isEmpty)
            // Onto itself, as clients do to change metadata.
            try await store.copy(source, to: source, ObjectAttributes(contentType: "c/d"))
            #expect(try await store.object(source)?.contentType == "c/d")
            try await store.deleteObject(source)
            #expect(try await store.text(other.object("y")) == "content")
            #expect(try await store.text(other.object("z")) == "content")
            #expect(try store.filesOnDisk(container) == (0, 0))
        }
    }

    @Test func emptyObjectsHaveNoFile() async throws {
        try await withStore { store, container in
            let info = try await store.put(container.object("x"), text: "")
            #expect(info.etag == ObjectRecord.emptyEtag)
            #expect(try await store.text(container.object("x")) == "")
            #expect(try store.filesOnDisk(container) == (0, 0))
        }
    }
}
