import Foundation
import Synchronization

/// Finds lines of a log by number without reading the log: every 256th line's offset, extended as the file grows.
///
/// A log of a million lines costs 32 KiB and is read once.
package final class LogIndex: Sendable {
    private struct State {
        /// Offsets of lines 0, 256, 512, …
        var marks = [0]
        var lineCount = 0
        /// Bytes that have been counted, up to the last whole line.
        var end = 0
        var inode: ino_t = 0
    }

    private static let stride = 256
    private static let block = 1 << 20
    package let path: String
    private let state = Mutex(State())

    package init(path: String) { self.path = path }

    /// Counts what has been written since the last call.
    /// - Returns: the number of whole lines.
    @discardableResult
    package func update() -> Int {
        state.withLock { state in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return state.lineCount }
            defer { close(descriptor) }
            // A log only grows: a shorter one is another file, and so is one that has taken its place.
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { return state.lineCount }
            if Int(status.st_size) < state.end || status.st_ino != state.inode {
                state = State()
                state.inode = status.st_ino
            }
            let buffer = UnsafeMutableRawPointer.allocate(byteCount: LogIndex.block, alignment: 1)
            defer { buffer.deallocate() }
            var offset = state.end
            while true {
                let count = pread(descriptor, buffer, LogIndex.block, off_t(offset))
                guard count > 0 else { return state.lineCount }
                var position = 0
                while position < count, let found = memchr(buffer + position, 0x0A, count - position) {
                    position = buffer.distance(to: found) + 1
                    state.lineCount += 1
                    state.end = offset + position
                    if state.lineCount % LogIndex.stride == 0 { state.marks.append(state.end) }
                }
                offset += count
            }
        }
    }

    /// Lines from a number on, as far as they are there.
    package func lines(from first: Int, count: Int) -> [LogLine] {
        let (start, skip, available) = state.withLock { state in
            let mark = min(max(0, first) / LogIndex.stride, state.marks.count - 1)
            return (state.marks[mark], max(0, first) - mark * LogIndex.stride, state.lineCount - max(0, first))
        }
        let wanted = min(count, available)
        guard wanted > 0 else { return [] }
        let log = LogReader(path: path)
        var lines: [LogLine] = []
        var (offset, skipped) = (start, 0)
        while lines.count < wanted {
            let chunk = log.rawLines(from: offset)
            guard chunk.next > offset else { break }
            offset = chunk.next
            for line in chunk.lines {
                if skipped < skip {
                    skipped += 1
                } else if lines.count < wanted {
                    lines.append(line)
                } else {
                    break
                }
            }
        }
        return lines
    }

    /// The numbers of the lines whose text contains something, whatever the case of ASCII letters.
    ///
    /// Reads the whole log; for a thread that may wait.
    /// - Parameters:
    ///   - text: of it the first `longestSearch` bytes count.
    ///   - limit: how many numbers to give; all are counted.
    package func search(_ text: String, limit: Int) -> (total: Int, matches: [Int]) {
        let needle = text.utf8.prefix(LogIndex.longestSearch).map { CChar(bitPattern: LogIndex.lower($0)) } + [0]
        guard needle.count > 1 else { return (0, []) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return (0, []) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: LogIndex.block)
        var (offset, number, total) = (0, 0, 0)
        var matches: [Int] = []
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(offset))
            guard count > 0 else { break }
            var start = 0
            buffer.withUnsafeMutableBufferPointer { bytes in
                guard let base = bytes.baseAddress else { return }
                for index in 0..<count { base[index] = LogIndex.lower(base[index]) }
                while start < count, let found = memchr(base + start, 0x0A, count - start) {
                    let end = UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
                    // What people see begins after the time and the stream.
                    let text = min(end, start + LogIndex.textStart(base + start, end - start))
                    // The C library's own search takes the same time whatever the text: a loop over each place would not.
                    base[end] = 0
                    let isFound = base.withMemoryRebound(to: CChar.self, capacity: count) { characters in
                        strstr(characters + text, needle) != nil
                    }
                    if isFound {
                        total += 1
                        if matches.count < limit { matches.append(number) }
                    }
                    number += 1
                    start = end + 1
                }
            }
            // A line longer than the block cannot be: the writer cuts them.
            guard start > 0 else { break }
            offset += start
        }
        return (total, matches)
    }

    /// Bytes of what is searched for.
    package static let longestSearch = 200

    private static func textStart(_ line: UnsafePointer<UInt8>, _ length: Int) -> Int {
        var spaces = 0
        for index in 0..<min(length, 40) where line[index] == 0x20 {
            spaces += 1
            if spaces == 2 { return index + 1 }
        }
        return 0
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
