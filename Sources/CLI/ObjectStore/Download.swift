import AsyncHTTPClient
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What is copied from the store, and where it goes on this machine.
struct DownloadPlan: Equatable {
    struct Item: Equatable, Sendable {
        /// The object's whole name.
        var object: String
        var path: String
        var bytes: Int
    }

    var items: [Item]

    /// Everything below a folder of the store, in the same shape below a folder here.
    /// - Parameter entries: the files of the folder, by their whole names, in order.
    /// - Throws: `CommandFailure` for a name that would leave the folder.
    init(folder entries: [StoreEntry], prefix: String, into folder: String) throws(CommandFailure) {
        items = []
        for entry in Self.withoutSegments(entries) {
            let relative = entry.name.dropFirst(prefix.count)
            let parts = relative.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), !relative.contains("\0") else {
                throw CommandFailure(
                    "'\(entry.name)' cannot be a file below \(folder); copy it by itself, to a name of its own")
            }
            items.append(Item(object: entry.name, path: LocalPath.join(folder, String(relative)), bytes: entry.bytes))
        }
    }

    init(file entry: StoreEntry, to path: String) {
        items = [Item(object: entry.name, path: path, bytes: entry.bytes)]
    }

    var bytes: Int { items.reduce(0) { $0 + $1.bytes } }

    /// A large file is listed beside its segments, which lie below it as if it were a folder (`big.bin`,
    /// `big.bin/001`). They come with the file, and a file and a folder of one name could not both be here.
    static func withoutSegments(_ entries: [StoreEntry]) -> [StoreEntry] {
        let names = Set(entries.map(\.name))
        return entries.filter { entry in
            guard let slash = entry.name.lastIndex(of: "/") else { return true }
            let isSegment = StoreEntry.isSegmentName(String(entry.name[entry.name.index(after: slash)...]))
            return !(isSegment && names.contains(String(entry.name[..<slash])))
        }
    }
}

extension StoreClient {
    /// - Parameter place: any place of the container that the plan is about.
    /// - Returns: the bytes of all files; a list does not know those of a file in segments.
    @discardableResult
    func download(_ plan: DownloadPlan, from place: RemotePath, title: String, console: Console) async throws -> Int {
        let transfer = Transfer(title: title, items: plan.items, bytes: plan.bytes, console: console)
        return try await transfer.run { item in
            let object = RemotePath(tenant: place.tenant, container: place.container, path: item.object)
            return try await download(object, to: item.path)
        }
    }

    /// - Returns: the bytes of the file.
    private func download(_ place: RemotePath, to path: String) async throws -> Int {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            let folder = String(path[..<slash])
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw CommandFailure(
                    "the folder \(folder) cannot be made; check its permissions, and that no file is in its place")
            }
        }
        let response = try await open(place)
        var sink = try FileSink(path: path)
        var count = 0
        do {
            for try await buffer in response.body {
                try sink.write(buffer)
                count += buffer.readableBytes
            }
        } catch let error where !(error is CommandFailure || error is CancellationError) {
            throw CommandFailure.unavailable("\(place.short): the connection broke off after \(Format.bytes(count))")
        }
        try sink.finish()
        return count
    }
}
