import Foundation
import NIOCore
import Resource

@testable import Storage

/// A folder of the test's own, removed when the test ends.
func withStorageFolder<Value>(_ work: (String) async throws -> Value) async throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("takumi-storage-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await work(folder.path)
}

/// A store with the container `c` of tenant `t`. Tests do not wait for the disk.
func withStore<Value>(_ work: (DiskStore, ContainerPath) async throws -> Value) async throws -> Value {
    try await withStorageFolder { folder in
        let store = try DiskStore(root: "\(folder)/store", isDurable: false)
        let container = ContainerPath(tenant: "t", container: "c")
        try await store.createContainer(container)
        return try await work(store, container)
    }
}

/// A body of some pieces, which may fail at the end as a client does that vanishes.
struct Pieces: AsyncSequence, Sendable {
    struct Vanished: Error {}
    typealias Element = ByteBuffer

    var pieces: [[UInt8]]
    var vanishes = false

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ArraySlice<[UInt8]>
        let vanishes: Bool

        mutating func next() async throws -> ByteBuffer? {
            if let piece = rest.popFirst() { return ByteBuffer(bytes: piece) }
            if vanishes { throw Vanished() }
            return nil
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: pieces[...], vanishes: vanishes) }
}

extension DiskStore {
    @discardableResult
    func put(
        _ path: ObjectPath, text: String, _ attributes: ObjectAttributes = ObjectAttributes(),
        condition: UploadCondition = UploadCondition()
    ) async throws -> ObjectInfo {
        try await put(path, attributes, condition: condition, body: Pieces(pieces: [Array(text.utf8)]))
    }

    func text(_ path: ObjectPath, _ range: Range<Int64>? = nil) async throws -> String? {
        guard let content = try await open(path) else { return nil }
        var reader = content.reader(range)
        var bytes: [UInt8] = []
        while let piece = try await reader.next() { bytes += piece.readableBytesView }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The contents on disk, and the temporary files.
    func filesOnDisk(_ container: ContainerPath) throws -> (contents: Int, temporary: Int) {
        let data = "\(layout.container(container).folder)/data"
        let contents = try FileManager.default.subpathsOfDirectory(atPath: data).filter { $0.contains("/") }.count
        return (contents, try FileManager.default.contentsOfDirectory(atPath: layout.temporary).count)
    }
}

/// Runs `work` and returns the `TakumiError` that it throws.
func refusal(_ work: () async throws -> Void) async throws -> TakumiError? {
    do {
        try await work()
        return nil
    } catch let error as TakumiError {
        return error
    }
}

func makeFile(_ path: String, _ content: String) throws {
    let url = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(content.utf8).write(to: url)
}

func readFile(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
}
