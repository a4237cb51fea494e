import Engine
import Foundation
import NIOCore
import NIOPosix

/// The worker's process, from its start until it has been reaped. It leads a group of its own, and what it has started ends
/// with it.
struct WorkerProcess: Sendable {
    let pid: pid_t
    /// How it ended: `exit status 1`, `signal 9: killed`.
    let end: EventLoopFuture<String>

    static func start(_ command: WorkerCommand, threads: NIOThreadPool, loop: any EventLoop) throws -> WorkerProcess {
        let pid = try Spawn.start(
            command.executable, command.arguments, environment: command.environment, output: 1, error: 2,
            grouping: .newGroup)
        let end = threads.runIfActive(eventLoop: loop) { wait(for: pid) }
        return WorkerProcess(pid: pid, end: end)
    }

    func terminate() { Foundation.kill(pid, SIGTERM) }
    func kill() { Foundation.kill(-pid, SIGKILL) }

    /// Bytes of memory that it and this process take.
    var residentWithUs: Int {
        [pid, getpid()].reduce(0) { sum, pid in
            let fields = (try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8))?.split(separator: " ")
            return sum + (fields?.dropFirst().first.flatMap { Int($0) } ?? 0) * Int(getpagesize())
        }
    }

    /// Blocks its thread.
    private static func wait(for pid: pid_t) -> String {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        // Before it is reaped, since the group's number is its own only until then.
        Foundation.kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        if signal == 0 { return "exit status \((status >> 8) & 0xFF)" }
        return "signal \(signal): \(String(cString: strsignal(signal)).lowercased())"
    }
}
