import NIOCore
import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An object opened for reading. What is read is the content as it was when it was opened, also where the object is
/// overwritten or deleted meanwhile (of a large object: as far as its segments were reached).
package struct ObjectContent: Sendable {
    package let info: ObjectInfo
    let parts: [DiskStore.Part]
    /// The first part's file, opened together with the record.
    let first: OpenFile?

    /// Reads the given bytes in pieces, each asked for when the last one was taken.
    package func reader(_ range: Range<Int64>? = nil) -> ContentReader {
        ContentReader(content: self, range: range ?? 0..<info.size)
    }
}

/// Pulls an object's bytes.
package struct ContentReader: Sendable {
    private static let pieceSize: Int64 = 256 << 10

    private let content: ObjectContent
    private let end: Int64
    private var position: Int64
    private var part = 0
    private var partStart: Int64 = 0
    private var file: OpenFile?

    fileprivate init(content: ObjectContent, range: Range<Int64>) {
        self.content = content
        position = range.lowerBound
        end = min(range.upperBound, content.info.size)
        file = content.first
    }

    /// - Returns: nil at the end.
    /// - Throws: `.conflict` where a segment was deleted while the object was read.
    package mutating func next() async throws -> ByteBuffer? {
        guard position < end else { return nil }
        while part < content.parts.count, position >= partStart + content.parts[part].length {
            partStart += content.parts[part].length
            part += 1
            file = nil
        }
        guard part < content.parts.count else { throw changed }
        let place = content.parts[part]
        let offset = position - partStart
        let count = Int(min(end - position, place.length - offset, Self.pieceSize))
        let (buffer, opened) = try await BlockingWork.run { [file] in
            let opened = try file ?? OpenFile(place.path, O_RDONLY, operation: "reading the object")
            var buffer = ByteBufferAllocator().buffer(capacity: count)
            try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
                try opened.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]), at: place.offset + offset)
            }
            return (buffer, opened)
        }
        if buffer.readableBytes == 0 { throw changed }
        file = opened
        position += Int64(buffer.readableBytes)
        return buffer
    }

    private var changed: TakumiError {
        TakumiError(.conflict, "object '\(content.info.name.excerpt)' changed while it was read")
    }
}

extension DiskStore {
    /// - Parameter asStored: true opens a manifest itself instead of what it stands for.
    /// - Returns: nil where there is no such object or container.
    package func open(_ path: ObjectPath, asStored: Bool = false) async throws -> ObjectContent? {
        try path.check()
        return try await BlockingWork.run { try openBlocking(path, asStored: asStored) }
    }

    func openBlocking(_ path: ObjectPath, asStored: Bool = false) throws -> ObjectContent? {
        for attempt in 1... {
            guard let record = try record(of: path) else { return nil }
            if asStored && record.kind.isLarge {
                var info = record.info
                info.size = 0
                return ObjectContent(info: info, parts: [], first: nil)
            }
            let parts = try parts(of: record, at: path)
            var info = try info(of: record, at: path)
            info.size = parts.reduce(0) { $0 + $1.length }
            do {
                let first = try parts.first.map { try OpenFile($0.path, O_RDONLY, operation: "reading the object") }
                return ObjectContent(info: info, parts: parts, first: first)
            } catch let error as SystemError where error.code == ENOENT && attempt < 10 {
                // Overwritten between reading the record and opening its content: the next record has the new one.
                continue
            }
        }
        return nil
    }
}
