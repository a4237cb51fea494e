import Foundation

/// A stage's inference log as its readers have it: one log, though it lies in several files.
package struct InferenceLog: Sendable {
    /// How many full files are kept besides the one that is written.
    static let kept = 3

    package let path: String

    package init(path: String) { self.path = path }

    /// The newest first.
    package var files: [String] { [path] + (1...InferenceLog.kept).map { "\(path).\($0)" } }

    package func remove() {
        for file in files { try? FileManager.default.removeItem(atPath: file) }
    }

    /// The last lines, or the last of those that contain a text whatever the case of its ASCII letters; each with its line
    /// end. Blocks its thread.
    package func last(_ count: Int, containing text: String = "") -> String {
        let needle = text.utf8.map { CChar(bitPattern: InferenceLog.lower($0)) } + [0]
        var lines: [String] = []
        for data in contents where lines.count < count {
            data.withUnsafeBytes { bytes in
                // A line that is being written has no end yet.
                var end = bytes.lastIndex(of: 0x0A)
                while let last = end, lines.count < count {
                    end = bytes[..<last].lastIndex(of: 0x0A)
                    let line = UnsafeRawBufferPointer(rebasing: bytes[(end.map { $0 + 1 } ?? 0)...last])
                    if text.isEmpty || InferenceLog.contains(line, needle) {
                        lines.append(String(decoding: line, as: UTF8.self))
                    }
                }
            }
        }
        return lines.reversed().joined()
    }

    /// All are opened before the first is read. One that was set aside meanwhile would be there twice.
    private var contents: [Data] {
        var seen: Set<ino_t> = []
        return files.compactMap { file in
            guard let handle = FileHandle(forReadingAtPath: file) else { return nil }
            var status = stat()
            guard fstat(handle.fileDescriptor, &status) == 0, seen.insert(status.st_ino).inserted else { return nil }
            return try? Data(
                contentsOf: URL(fileURLWithPath: "/proc/self/fd/\(handle.fileDescriptor)"), options: .alwaysMapped)
        }
    }

    private static func contains(_ line: UnsafeRawBufferPointer, _ needle: [CChar]) -> Bool {
        // The C library's own search: a line has no NUL, since JSON escapes it.
        strstr(line.map { CChar(bitPattern: lower($0)) } + [0], needle) != nil
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
