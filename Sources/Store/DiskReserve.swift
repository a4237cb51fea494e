import Foundation

/// A few MiB beside the database that are given up when the disk is full, so that what runs can still be recorded.
struct DiskReserve {
    static let size = 4 << 20
    let path: String

    /// Takes the space, where it is not taken already and the disk has ten times as much.
    func fill() {
        let values = try? FileManager.default.attributesOfFileSystem(
            forPath: (path as NSString).deletingLastPathComponent)
        let free = (values?[.systemFreeSize] as? NSNumber)?.intValue ?? 0
        guard !FileManager.default.fileExists(atPath: path), free > 10 * DiskReserve.size else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        if posix_fallocate(descriptor, 0, off_t(DiskReserve.size)) != 0 { unlink(path) }
    }

    /// - Returns: true where there was something to give up.
    func release() -> Bool { unlink(path) == 0 }
}
