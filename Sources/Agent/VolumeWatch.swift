import CSpawn
import Engine
import Foundation
import Synchronization

/// Keeps a session's volumes within their sizes.
///
/// A directory has no size of its own, and quotas or file systems in files need an administrator. So the folders are measured
/// again and again, and while one is full no process of the session may write to files: the kernel refuses it by the
/// processes' limit of file sizes. Deleting is always possible, and lifts the limit
/// ([ADR 0022](../../docs/decisions/0022-sizes-of-notebook-storage.md)).
final class VolumeWatch: Sendable {
    private let volumes: [(volume: Volume, limitMiB: Int, folder: String)]
    private let state = Mutex(State())

    private struct State {
        var uses: [TaskState.VolumeUse]?
        var isStopped = false
    }

    init(_ volumes: [Volume], paths: TaskPaths) {
        self.volumes = volumes.compactMap { volume in
            volume.limitMiB.map { (volume, $0, paths.folder(of: volume)) }
        }
    }

    /// As last measured; nil before.
    var uses: [TaskState.VolumeUse]? { state.withLock { $0.uses } }

    /// Watches from a thread of its own, since measuring a large tree takes longer than a look at the processes may.
    /// - Parameter program: the session's processes are this one's descendants.
    func start(on program: pid_t) {
        guard !volumes.isEmpty else { return }
        Thread.detachNewThread { [self] in
            var wasFull = false
            while true {
                let begin = ContinuousClock.now
                let uses = volumes.map { entry in
                    TaskState.VolumeUse(
                        name: entry.volume.name, usedMiB: Int(DiskUse.bytes(below: entry.folder) >> 20),
                        limitMiB: entry.limitMiB)
                }
                guard
                    state.withLock({ state in
                        state.uses = uses
                        return !state.isStopped
                    })
                else { return }
                let isFull = uses.contains(where: \.isFull)
                // Again and again while it is full: what another process has started just before has no limit yet.
                if isFull || wasFull {
                    for process in ProcessTable.tree(of: program) {
                        _ = takumi_limit_file_size(process, isFull ? 0 : -1)
                    }
                }
                wasFull = isFull
                pause(after: ContinuousClock.now - begin, uses)
            }
        }
    }

    func stop() { state.withLock { $0.isStopped = true } }

    /// Long enough to cost little, short enough that a fast disk cannot write much beyond the limit.
    private func pause(after took: Duration, _ uses: [TaskState.VolumeUse]) {
        let left = uses.map { Double($0.limitMiB - $0.usedMiB) }.min() ?? 0
        let seconds = min(max(left / VolumeWatch.mebibytesPerSecond, 1), 10)
        var rest = max(.milliseconds(Int(seconds * 1000)), took * 10)
        while rest > .zero, !state.withLock({ $0.isStopped }) {
            usleep(200_000)
            rest -= .milliseconds(200)
        }
    }

    /// What a program may write at most, as far as waiting is concerned.
    private static let mebibytesPerSecond = 500.0
}

enum DiskUse {
    /// Bytes on disk below a folder, on its own file system; a file with several names counts once.
    static func bytes(below folder: String) -> Int64 {
        var status = stat()
        guard lstat(folder, &status) == 0 else { return 0 }
        let device = status.st_dev
        var total = Int64(status.st_blocks) * 512
        var seen: Set<UInt> = []
        var folders = [folder]
        while let path = folders.popLast() {
            guard let directory = opendir(path) else { continue }
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard name != ".", name != "..",
                    fstatat(dirfd(directory), name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_dev == device
                else { continue }
                let kind = status.st_mode & S_IFMT
                if kind == S_IFDIR {
                    folders.append("\(path)/\(name)")
                } else if status.st_nlink > 1, !seen.insert(UInt(status.st_ino)).inserted {
                    continue
                }
                total += Int64(status.st_blocks) * 512
            }
        }
        return total
    }
}

/// Whom to end where no control group does it: as the kernel chooses, the largest.
enum MemoryKill {
    /// - Parameter program: the session itself, which should live on.
    /// - Returns: the largest of the others; the program where it is alone.
    static func largest(of processes: [pid_t], sparing program: pid_t) -> [pid_t] {
        func resident(_ process: pid_t) -> Int {
            ProcessTable.stat(of: process).flatMap { $0.count > 21 ? Int($0[21]) : nil } ?? 0
        }
        // Bubblewrap is the program's parent and small.
        let others = processes.filter { $0 != program }
        return [others.max { resident($0) < resident($1) } ?? program]
    }
}
