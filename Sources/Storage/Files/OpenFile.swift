import Resource

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An open file descriptor, closed with its last reference. Reads and writes name their offset, so that it has no state
/// of its own and may be shared. Every method blocks: call it inside `BlockingWork.run`.
final class OpenFile: Sendable {
    let descriptor: Int32

    init(_ path: String, _ flags: Int32, mode: mode_t = 0o600, operation: String) throws(SystemError) {
        descriptor = try check(operation) { open(path, flags | O_CLOEXEC, mode) }
    }

    /// Opens a file for reading by its real path, and refuses where another file is there by now: between a scan of a
    /// folder and this call, a program in that folder may have put a link in the place of a folder.
    init(unmoved path: String, operation: String) throws {
        descriptor = try check(operation) { open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        #if os(Linux)
            guard let real = Files.resolved("/proc/self/fd/\(descriptor)"), Names.same(real, path) else {
                throw TakumiError(.conflict, "\(operation): the file was replaced meanwhile")
            }
        #endif
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64, operation: String) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try check(operation) { pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + done) }
        }
    }

    /// - Returns: the number of bytes read; 0 at the end of the file.
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int {
        try check("reading a file") { pread(descriptor, bytes.baseAddress, bytes.count, off_t(offset)) }
    }

    func sync(operation: String) throws(SystemError) { try check(operation) { fsync(descriptor) } }

    func status() throws(SystemError) -> FileStatus {
        var value = stat()
        try check("reading a file's status") { fstat(descriptor, &value) }
        return FileStatus(value)
    }

    /// Waits for the advisory lock, which ends with this descriptor, hence also when the process is killed.
    func lock() throws(SystemError) { try check("locking") { flock(descriptor, LOCK_EX) } }

    /// - Returns: false where another descriptor holds the lock.
    func tryLock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }
}

/// What `stat` tells that this target uses.
struct FileStatus: Sendable, Equatable {
    enum Kind: Sendable { case file, folder, link, other }
    let kind: Kind
    let size: Int64
    let device: UInt64
    let inode: UInt64
    /// Nanoseconds since 1970.
    let modified: Int64
    let changed: Int64

    init(_ value: stat) {
        switch value.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .folder
        case S_IFLNK: kind = .link
        default: kind = .other
        }
        size = Int64(value.st_size)
        device = UInt64(truncatingIfNeeded: value.st_dev)
        inode = UInt64(truncatingIfNeeded: value.st_ino)
        #if canImport(Darwin)
            let (mtime, ctime) = (value.st_mtimespec, value.st_ctimespec)
        #else
            let (mtime, ctime) = (value.st_mtim, value.st_ctim)
        #endif
        modified = Int64(mtime.tv_sec) * 1_000_000_000 + Int64(mtime.tv_nsec)
        changed = Int64(ctime.tv_sec) * 1_000_000_000 + Int64(ctime.tv_nsec)
    }
}
