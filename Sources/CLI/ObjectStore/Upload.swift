import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension StoreClient {
    /// From here on a file goes up in segments, as the vendor's SDK does it: Swift takes no object above 5 GiB.
    static let segmentedFrom = 2 << 30
    static let segment = 500 << 20

    /// Puts each file under `place`, by its name below its folder.
    func upload(_ files: [FolderScan.File], to place: RemotePath, title: String, console: Console) async throws {
        let transfer = Transfer(
            title: title, items: files, bytes: files.reduce(0) { $0 + $1.size }, console: console)
        try await transfer.run { file in
            try await upload(file, to: place.appending(file.name))
            return file.size
        }
    }

    /// Puts one file at `place`.
    func upload(_ file: FolderScan.File, to place: RemotePath) async throws {
        if file.size >= Self.segmentedFrom { return try await uploadInSegments(file, to: place) }
        try await put(file.path, 0..<file.size, at: place)
    }

    private func put(_ path: String, _ range: Range<Int>, at place: RemotePath) async throws {
        // No deadline to speak of: a slow line is not an error, and a dead one is found by the connection itself.
        try await send(.PUT, url(place), of: place, timeout: .hours(24)) {
            .stream(FileChunks(path: path, range: range), length: .known(Int64(range.count)))
        }
    }

    private func uploadInSegments(_ file: FolderScan.File, to place: RemotePath) async throws {
        let count = (file.size + Self.segment - 1) / Self.segment
        let names = (1...count).map { segmentName($0) }
        // Segments of a longer file that was here before would become part of this one.
        for entry in try await files(place, prefix: place.path + "/") {
            let name = String(entry.name.dropFirst(place.path.count + 1))
            if StoreEntry.isSegmentName(name), !names.contains(name) { try await delete(place.appending(name)) }
        }
        for (index, name) in names.enumerated() {
            let start = index * Self.segment
            try await put(file.path, start..<min(file.size, start + Self.segment), at: place.appending(name))
        }
        // Last: until the manifest is there, there is no object.
        let manifest = "\(Percent.encode(place.container))/\(Percent.encodePath(place.path))/"
        try await send(.PUT, url(place), of: place, headers: ["x-object-manifest": manifest, "content-length": "0"])
    }

    private func segmentName(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    /// Removes one object. That it is gone already is no error.
    func delete(_ place: RemotePath) async throws {
        do {
            try await send(.DELETE, url(place), of: place)
        } catch let refusal as StoreRefusal where refusal.status == 404 {
            return
        }
    }
}

extension StoreEntry {
    /// `001`, as the vendor's SDK and we name the segments of a large file below it.
    static func isSegmentName(_ name: String) -> Bool {
        name.utf8.count >= 3 && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
