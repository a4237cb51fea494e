import CSpawn
import Foundation
import Resource

/// What the kernel answered to a call that failed.
package struct SystemError: Error, CustomStringConvertible {
    package let call: String
    package let number: Int32

    package init(_ call: String, number: Int32 = errno) {
        self.call = call
        self.number = number
    }

    package var description: String { "\(call): \(String(cString: strerror(number)))" }
}

/// An advisory lock on a file, dropped with the process that holds it.
package final class FileLock: Sendable {
    private let descriptor: Int32

    /// - Returns: nil where the file is not there and is not to be created, or cannot be.
    package init?(path: String, create: Bool = true) {
        let descriptor = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0o600)
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    package func tryLock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    /// Waits for the lock. Blocks its thread.
    package func lock() {
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
    }
}

/// Starts processes with nothing inherited that was not asked for.
package enum Spawn {
    /// How the new process relates to this one's session and group.
    package enum Grouping: Sendable {
        /// A session of its own: it outlives the starter's terminal and is not reached by its signals.
        case newSession
        /// A process group of its own, in this session.
        case newGroup
    }

    /// - Parameters:
    ///   - output: descriptors that become the child's standard output and error; nil is `/dev/null`.
    /// - Returns: the child's process id. Signals are reset to their defaults; no other descriptor is inherited.
    package static func start(
        _ executable: String, _ arguments: [String], environment: [String: String], directory: String? = nil,
        output: Int32? = nil, error: Int32? = nil, grouping: Grouping
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (target, source) in [(Int32(1), output), (2, error)] {
            if let source {
                posix_spawn_file_actions_adddup2(&actions, source, target)
            } else {
                posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_WRONLY, 0)
            }
        }
        takumi_spawn_add_closefrom(&actions, 3)
        if let directory { takumi_spawn_add_chdir(&actions, directory) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        var flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        switch grouping {
        case .newSession: flags |= Int32(takumi_spawn_setsid_flag())
        case .newGroup:
            flags |= POSIX_SPAWN_SETPGROUP
            posix_spawnattr_setpgroup(&attributes, 0)
        }
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let argv = ([executable] + arguments).map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid = pid_t()
        let result = posix_spawn(&pid, executable, &actions, &attributes, argv, envp)
        guard result == 0 else { throw SystemError("start \(executable)", number: result) }
        return pid
    }
}

/// What `/proc` says of processes.
package enum ProcessTable {
    /// Clock ticks since boot at which a process started: with its id, this names it for ever.
    package static func startTime(of pid: pid_t) -> UInt64? {
        stat(of: pid).flatMap { $0.count > 19 ? UInt64($0[19]) : nil }
    }

    /// A process and everything descended from it.
    package static func tree(of root: pid_t) -> [pid_t] {
        var children: [pid_t: [pid_t]] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = pid_t(name), let fields = stat(of: pid), fields.count > 1, let parent = pid_t(fields[1])
            else {
                continue
            }
            children[parent, default: []].append(pid)
        }
        var found = [root]
        var next = 0
        while next < found.count {
            found += children[found[next]] ?? []
            next += 1
        }
        return found
    }

    /// The fields of `/proc/PID/stat` after the command's name, which may itself hold spaces and brackets.
    package static func stat(of pid: pid_t) -> [Substring]? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
        let line = String(decoding: data, as: UTF8.self)
        guard let end = line.lastIndex(of: ")") else { return nil }
        return line[line.index(after: end)...].split(separator: " ")
    }
}
