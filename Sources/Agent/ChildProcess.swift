import Engine
import Foundation
import Telemetry

/// How a process ended.
struct ChildExit: Sendable, Equatable {
    /// Exit status, or the negative number of the signal that ended it.
    var code: Int
    var stopped = false
    var timedOut = false
}

/// A process that has been started, whoever its parent is.
protocol StartedProcess {
    /// Leader of a process group.
    var pid: pid_t { get }
    /// What the user's program is, or has above it: the leader or one of its children.
    var program: pid_t { get }
    /// Becomes readable when it ends; negative where only asking tells.
    var descriptor: Int32 { get }
    /// The exit status in Python's spelling, or nil while it runs. Never waits.
    func exitCode() -> Int?
    /// Called once after the end, and before the last output is read.
    func release()
}

/// Runs one process to its end on the calling thread: passes on its output, enforces the limit, ends its whole tree.
///
/// The thread must live as long as the process, since bubblewrap's `--die-with-parent` hangs on the thread that started it.
struct ChildProcess {
    /// Starts it with these descriptors as its standard output and error.
    var start: (_ output: Int32, _ error: Int32) throws -> any StartedProcess
    /// Seconds from now.
    var timeLimit: Int?
    /// Seconds between SIGTERM and SIGKILL.
    var grace: Int
    /// True where the leader must outlive SIGTERM, since it takes the program with it (bubblewrap) or tells of its end.
    var sandboxed = false

    init(
        timeLimit: Int? = nil, grace: Int, sandboxed: Bool = false,
        start: @escaping (_ output: Int32, _ error: Int32) throws -> any StartedProcess
    ) {
        (self.start, self.timeLimit, self.grace, self.sandboxed) = (start, timeLimit, grace, sandboxed)
    }

    /// A new process of this one.
    /// - Parameters:
    ///   - sandboxed: the command is bubblewrap.
    ///   - joining: control groups to enter.
    init(
        command: [String], environment: [String: String], directory: String? = nil, timeLimit: Int? = nil, grace: Int,
        sandboxed: Bool = false, joining: [String] = []
    ) {
        self.init(timeLimit: timeLimit, grace: grace, sandboxed: sandboxed) { output, error in
            try SpawnedProcess(
                command, environment: environment, directory: directory, output: output, error: error,
                isBubblewrap: sandboxed, joining: joining)
        }
    }

    func run(
        stop: StopRequest, started: (any StartedProcess) -> Void = { _ in },
        everySecond: (any StartedProcess) -> Void = { _ in },
        output: (ArraySlice<UInt8>, LogLine.Stream) -> Void
    ) throws -> ChildExit {
        let outputs = try (Pipe(), Pipe())
        let process = try self.start(outputs.0.write, outputs.1.write)
        let (pid, pidfd) = (process.pid, process.descriptor)
        outputs.0.closeWrite()
        outputs.1.closeWrite()
        started(process)

        let start = ContinuousClock.now
        var nextSecond = start + .seconds(1)
        var killAt: ContinuousClock.Instant?
        var drainUntil: ContinuousClock.Instant?
        var exit: ChildExit?
        var (stopped, timedOut) = (false, false)
        // Whether the program has been asked to end.
        var isTold = false
        var open: [(Int32, LogLine.Stream)] = [(outputs.0.read, .stdout), (outputs.1.read, .stderr)]
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)

        while exit == nil || !open.isEmpty {
            var descriptors = open.map { pollfd(fd: $0.0, events: Int16(POLLIN), revents: 0) }
            if exit == nil {
                if pidfd >= 0 { descriptors.append(pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)) }
                if !stopped { descriptors.append(pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0)) }
            }
            // Without a pidfd (a kernel before 5.3) the end shows in the pipes or within 50 ms.
            let again = (stopped || timedOut) && !isTold ? ContinuousClock.now + .milliseconds(50) : nil
            let due = [nextSecond, killAt, drainUntil, again].compactMap { $0 }.min() ?? nextSecond
            let wait = max(0, (due - .now) / .milliseconds(1)).rounded(.up)
            poll(&descriptors, nfds_t(descriptors.count), Int32(pidfd >= 0 ? wait : min(wait, 50)))

            for (index, (descriptor, stream)) in open.enumerated().reversed() where descriptors[index].revents != 0 {
                let count = read(descriptor, &buffer, buffer.count)
                if count > 0 { output(buffer[..<count], stream) } else if count == 0 { open.remove(at: index) }
            }
            let now = ContinuousClock.now
            if exit == nil, let code = process.exitCode() {
                exit = ChildExit(code: code)
                // Whatever it left behind goes with it; its last output is still in the pipes.
                kill(-pid, SIGKILL)
                process.release()
                drainUntil = now + .seconds(1)
            }
            if let drainUntil, now >= drainUntil { break }
            if exit != nil { continue }
            if !stopped, !timedOut, stop.isRequested {
                stopped = true
                killAt = killAt ?? now + .seconds(grace)
            }
            if !stopped, !timedOut, let timeLimit, now >= start + .seconds(timeLimit) {
                timedOut = true
                killAt = now + .seconds(grace)
            }
            if stopped || timedOut, !isTold { isTold = terminate(pid) }
            if let at = killAt, now >= at {
                for process in ProcessTable.tree(of: pid) { kill(process, SIGKILL) }
                kill(-pid, SIGKILL)
                killAt = nil
            }
            if now >= nextSecond {
                nextSecond = now + .seconds(1)
                everySecond(process)
            }
        }
        return ChildExit(code: exit?.code ?? -Int(SIGKILL), stopped: stopped, timedOut: timedOut)
    }

    /// - Returns: false where the program is not there yet: bubblewrap's first child, which makes it, hears no signal. Once
    ///   it is there it is asked once, since what it starts to clean up must not be.
    private func terminate(_ pid: pid_t) -> Bool {
        guard sandboxed else {
            kill(-pid, SIGTERM)
            return true
        }
        let processes = ProcessTable.tree(of: pid).filter { $0 != pid }
        for process in processes { kill(process, SIGTERM) }
        return processes.contains { ProcessTable.name(of: $0) != "bwrap" }
    }
}

/// Two ends that no child inherits.
final class Pipe {
    let read: Int32
    private(set) var write: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError("pipe") }
        (read, write) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    func closeWrite() {
        if write >= 0 { close(write) }
        write = -1
    }

    deinit {
        closeWrite()
        close(read)
    }
}
