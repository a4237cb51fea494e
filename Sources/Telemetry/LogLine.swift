import Foundation

/// One line of a task's output.
///
/// On disk: `2026-11-21T10:03:31.123456Z O text`, where the letter is the stream. The time comes first so that a file can be
/// searched by time with any tool, and so that the default metric collector finds its leading RFC 3339 stamp.
package struct LogLine: Sendable, Equatable {
    package enum Stream: Character, Sendable {
        case stdout = "O"
        case stderr = "E"
        /// The agent's own words.
        case system = "S"

        package var name: String {
            switch self {
            case .stdout: "stdout"
            case .stderr: "stderr"
            case .system: "system"
            }
        }
    }

    package var time: String
    package var stream: Stream
    package var text: String

    /// - Returns: nil where the bytes are not a whole line of this form.
    package init?(_ line: some Collection<UInt8>) {
        let text = String(decoding: line, as: UTF8.self)
        let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let letter = parts[1].first, let stream = Stream(rawValue: letter) else { return nil }
        time = String(parts[0])
        self.stream = stream
        self.text = String(parts[2])
    }

    /// What is left of a line that was not written whole.
    init(broken bytes: some Collection<UInt8>) {
        time = ""
        stream = .system
        text = String(decoding: bytes, as: UTF8.self)
    }
}

/// Appends lines to a task's log.
///
/// Each call of `write` reaches the file with one system call and holds whole lines only, so that a reader, and a server
/// started after a crash, never sees half of one.
package struct LogWriter: ~Copyable {
    private let descriptor: Int32
    private var partial: [Character: [UInt8]] = [:]
    private var second: Int = 0
    private var prefix: [UInt8] = []
    /// A line longer than this is cut into several: a program that never ends its line must not eat the memory.
    private let longest = 64 * 1024

    package init(path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path]) }
    }

    deinit { close(descriptor) }

    /// Takes bytes as the program wrote them. A carriage return ends a line as a line feed does: progress bars become lines.
    package mutating func write(_ bytes: some Collection<UInt8>, _ stream: LogLine.Stream) {
        var output: [UInt8] = []
        var line = partial.removeValue(forKey: stream.rawValue) ?? []
        let stamp = timestamp()
        for byte in bytes {
            if byte == 0x0A || byte == 0x0D {
                if !(line.isEmpty && byte == 0x0D) { append(&line, stamp, stream, to: &output) }
            } else {
                line.append(byte)
                if line.count >= longest { append(&line, stamp, stream, to: &output) }
            }
        }
        if !line.isEmpty { partial[stream.rawValue] = line }
        flush(output)
    }

    package mutating func write(system text: String) {
        write(Array((text + "\n").utf8), .system)
    }

    /// Writes what a program left without a line end.
    package mutating func finish() {
        for stream in [LogLine.Stream.stdout, .stderr, .system] where partial[stream.rawValue] != nil {
            write([0x0A], stream)
        }
    }

    private func append(_ line: inout [UInt8], _ stamp: [UInt8], _ stream: LogLine.Stream, to output: inout [UInt8]) {
        output += stamp
        output += [0x20, stream.rawValue.asciiValue ?? 0x4F, 0x20]
        output += line
        output.append(0x0A)
        line.removeAll(keepingCapacity: true)
    }

    private func flush(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                // Disk full: the program must not be ended for its log. What is lost here is visible as a gap in time.
                return
            }
        }
    }

    /// The current time in UTC with microseconds. The part down to the second is kept, being the costly one.
    private mutating func timestamp() -> [UInt8] {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        if time.tv_sec != second {
            second = time.tv_sec
            var parts = tm()
            gmtime_r(&time.tv_sec, &parts)
            var buffer = [CChar](repeating: 0, count: 32)
            strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
            prefix = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        }
        let digits = String(1_000_000 + time.tv_nsec / 1000).utf8.dropFirst()
        return prefix + [0x2E] + digits + [0x5A]
    }
}
