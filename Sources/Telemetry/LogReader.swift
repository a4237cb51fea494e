import Foundation

/// Reads a task's log while it is being written. Offsets are bytes into the file and always at the start of a line.
package struct LogReader: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    package struct Chunk: Sendable {
        package var lines: [(offset: Int, line: LogLine)]
        /// Where to go on.
        package var next: Int
    }

    /// Whole lines from an offset on, at most about a mebibyte of them.
    package func read(from offset: Int, limit: Int = 1 << 20) -> Chunk {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return Chunk(lines: [], next: offset) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = pread(descriptor, &buffer, limit, off_t(offset))
        guard count > 0 else { return Chunk(lines: [], next: offset) }
        var chunk = Chunk(lines: [], next: offset)
        var start = 0
        while let end = buffer[start..<count].firstIndex(of: 0x0A) {
            if let line = LogLine(buffer[start..<end]) { chunk.lines.append((offset + start, line)) }
            start = end + 1
        }
        chunk.next = offset + start
        return chunk
    }

    /// As `read`, but every line counts, also one that a full disk has cut: for who goes by numbers of lines.
    func rawLines(from offset: Int, limit: Int = 256 * 1024) -> (lines: [LogLine], next: Int) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return ([], offset) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = pread(descriptor, &buffer, limit, off_t(offset))
        guard count > 0 else { return ([], offset) }
        var lines: [LogLine] = []
        var start = 0
        while let end = buffer[start..<count].firstIndex(of: 0x0A) {
            lines.append(LogLine(buffer[start..<end]) ?? LogLine(broken: buffer[start..<end]))
            start = end + 1
        }
        return (lines, offset + start)
    }

    /// The offset from which the last `count` lines begin. Reads backwards in blocks, so a long log opens at its end at once.
    package func offset(ofLast count: Int) -> Int {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var end = Int(lseek(descriptor, 0, SEEK_END))
        // One more line end than lines: the one that closes the line before the first.
        var missing = min(count, Int(Int32.max)) + 1
        let block = 64 * 1024
        var buffer = [UInt8](repeating: 0, count: block)
        while end > 0 {
            let start = max(0, end - block)
            let got = pread(descriptor, &buffer, end - start, off_t(start))
            guard got > 0 else { return start }
            for index in stride(from: got - 1, through: 0, by: -1) where buffer[index] == 0x0A {
                missing -= 1
                if missing == 0 { return start + index + 1 }
            }
            end = start
        }
        return 0
    }

    package var size: Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }
}

extension LogReader {
    /// The last line of the program's own that says something, among the last 20: mostly why it ended.
    package var lastPrinted: String? {
        read(from: offset(ofLast: 20)).lines.map(\.line)
            .last { $0.stream != .system && !$0.text.allSatisfy(\.isWhitespace) }?.text
    }
}
