#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file under construction in a store's `tmp` folder. It holds an advisory lock for as long as it is being made, so
/// that what a killed process left behind can be told from another process's upload in progress.
final class TemporaryFile: Sendable {
    let path: String
    let file: OpenFile

    init(in folder: String, operation: String) throws(SystemError) {
        path = "\(folder)/\(Self.freshName())"
        file = try OpenFile(path, O_RDWR | O_CREAT | O_EXCL, operation: operation)
        _ = file.tryLock()
    }

    /// A second name for the bytes of `source`; nil where the file system cannot link them.
    init?(linking source: String, in folder: String) {
        let path = "\(folder)/\(Self.freshName())"
        guard link(source, path) == 0 else { return nil }
        guard let file = try? OpenFile(path, O_RDONLY, operation: "linking") else {
            unlink(path)
            return nil
        }
        self.path = path
        self.file = file
        _ = file.tryLock()
    }

    /// Does nothing where the file was moved to its place.
    deinit { unlink(path) }

    /// A method and not a use of `path`, so that the file is not removed by `deinit` before it was moved.
    func move(to target: String, operation: String) throws(SystemError) {
        try Files.move(path, to: target, operation: operation)
    }

    static func freshName() -> String {
        let digits =
            String(UInt64.random(in: .min ... .max), radix: 16) + String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }

    /// Removes what dead processes left in `folder`. Files younger than a minute stay: between making a file and
    /// locking it lies an instant in which it looks abandoned.
    static func removeAbandoned(in folder: String, now: Int64) throws(SystemError) {
        for entry in try Files.entries(of: folder) {
            guard let name = entry.name else { continue }
            let path = "\(folder)/\(name)"
            guard let status = try Files.status(path, followingLinks: false) else { continue }
            if now - status.changed < 60_000_000_000 { continue }
            if status.kind == .folder {
                try Files.removeTree(path)
            } else if let file = try? OpenFile(path, O_RDONLY, operation: "sweeping"), file.tryLock() {
                try Files.remove(path)
            }
        }
    }
}
