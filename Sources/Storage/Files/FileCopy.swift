#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How a file came to its new place.
package enum Placement: String, Sendable, Codable {
    case cloned, linked, copied
}

/// Brings a file to a second place with as little work as the file system allows.
enum FileCopy {
    /// Called with the bytes done so far; throws to stop.
    typealias Progress = (Int64) throws -> Void

    /// Puts the content of `source` at `target`, which must not exist.
    ///
    /// A clone shares blocks until one side writes, so it is preferred to a hard link, which shares them for ever: with
    /// a link, a program that writes into the target in place also changes the source.
    static func place(
        _ source: String, opened input: OpenFile? = nil, at target: String, allowingLink: Bool, operation: String,
        progress: Progress = { _ in }
    ) throws -> Placement {
        let input = try input ?? OpenFile(source, O_RDONLY, operation: operation)
        let output = try OpenFile(target, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644, operation: operation)
        if clone(input, to: output) { return .cloned }
        if allowingLink {
            try Files.remove(target)
            if link(source, target) == 0 { return .linked }
            // Another file system, a file system without links, or too many of them: all of these can be copied.
            return try place(
                source, opened: input, at: target, allowingLink: false, operation: operation, progress: progress)
        }
        try copy(input, to: output, at: 0, operation: operation, progress: progress)
        return .copied
    }

    /// Fills the empty file `output`.
    static func cloneOrCopy(
        _ input: OpenFile, to output: OpenFile, operation: String, progress: Progress = { _ in }
    ) throws {
        if !clone(input, to: output) { try copy(input, to: output, at: 0, operation: operation, progress: progress) }
    }

    /// Appends the whole of `input` to `output` at `offset`. Returns the number of bytes.
    @discardableResult
    static func copy(
        _ input: OpenFile, from start: Int64 = 0, length: Int64? = nil, to output: OpenFile, at offset: Int64,
        operation: String, progress: Progress = { _ in }
    ) throws -> Int64 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var done: Int64 = 0
        while done < length ?? .max {
            let wanted = Int(min(Int64(buffer.count), (length ?? .max) - done))
            let count = try input.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: start + done)
            if count == 0 { break }
            try output.write(
                UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: offset + done, operation: operation)
            done += Int64(count)
            try progress(done)
        }
        return done
    }

    private static func clone(_ input: OpenFile, to output: OpenFile) -> Bool {
        #if os(Linux)
            // FICLONE of linux/fs.h: _IOW(0x94, 9, int).
            return ioctl(output.descriptor, 0x4004_9409, input.descriptor) == 0
        #else
            return false
        #endif
    }
}
