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
    ///   - niceness: nil for that of the starting thread.
    ///   - joining: files into which the child writes its own id before it becomes the program: its control groups.
    /// - Returns: the child's process id. Signals are reset to their defaults; no other descriptor is inherited.
    package static func start(
        _ executable: String, _ arguments: [String], environment: [String: String], directory: String? = nil,
        output: Int32? = nil, error: Int32? = nil, grouping: Grouping, niceness: Int? = nil, joining: [String] = []
    ) throws -> pid_t {
        let argv = ([executable] + arguments).map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        let joins = joining.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp + joins { free(pointer) } }
        let pid = joins.map { UnsafePointer($0) }.withUnsafeBufferPointer { joins in
            executable.withCString { executable in
                withOptionalCString(directory) { directory in
                    var spawn = takumi_spawn()
                    spawn.executable = executable
                    argv.withUnsafeBufferPointer { spawn.arguments = $0.baseAddress }
                    envp.withUnsafeBufferPointer { spawn.environment = $0.baseAddress }
                    spawn.directory = directory
                    spawn.output = output ?? -1
                    spawn.error = error ?? -1
                    spawn.niceness = Int32(niceness ?? -1)
                    spawn.new_session = grouping == .newSession ? 1 : 0
                    spawn.joins = joins.baseAddress
                    return withExtendedLifetime((argv, envp)) { takumi_spawn(&spawn) }
                }
            }
        }
        guard pid > 0 else { throw SystemError("start \(executable)") }
        return pid
    }

    private static func withOptionalCString<T>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> T) -> T {
        guard let text else { return body(nil) }
        return text.withCString { body($0) }
    }
}

/// What `/proc` says of processes.
package enum ProcessTable {
    /// Clock ticks since boot at which a process started: with its id, this names it for ever.
    package static func startTime(of pid: pid_t) -> UInt64? {
        stat(of: pid).flatMap { $0.count > 19 ? UInt64($0[19]) : nil }
    }

    /// The name of a process's program, of at most 15 bytes; nil where it has gone.
    package static func name(of pid: pid_t) -> String? {
        FileManager.default.contents(atPath: "/proc/\(pid)/comm").map {
            String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
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
