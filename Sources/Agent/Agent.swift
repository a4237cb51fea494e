import Engine
import Foundation
import Resource
import Telemetry

/// Where inputs come from and outputs go. Implemented over `Storage` by the composition root.
package protocol Staging: Sendable {
    /// Makes `folder` hold what lies at the URI: completely, or not at all.
    /// - Parameter writable: the user's process may write there; else links to the store's own files will do.
    /// - Returns: what the task must also be able to read, since `folder` is a link to it.
    func fetch(_ uri: String, into folder: String, project: String, writable: Bool) async throws -> [String]
    /// Copies every file of `folder` to the URI.
    /// - Returns: one line for each file that was left out, and why.
    func upload(_ folder: String, to uri: String, project: String) async throws -> [String]
    /// The directory of this machine that a URI names.
    /// - Throws: where it names none.
    func directory(of uri: String, project: String) async throws -> String
}

/// The process that owns one task from its preparation to its last uploaded file.
///
/// It runs in a session of its own and outlives the server; the server reads its `state.json`. It takes the task's lock
/// first and keeps it: the lock is how others know that it lives.
package struct Agent {
    let folder: TaskFolder
    let assignment: TaskAssignment
    let staging: any Staging
    let stop: StopRequest

    /// Runs the task in the folder. Returns when it has ended, or at once where another agent has it or had it.
    package static func run(folder path: String, staging: (TaskAssignment) throws -> any Staging) async throws {
        let folder = TaskFolder(path: path)
        guard let lock = FileLock(path: folder.lock), lock.tryLock(), folder.readState() == nil else { return }
        defer { withExtendedLifetime(lock) {} }
        guard let assignment = JSONFile.read(TaskAssignment.self, at: folder.assignment) else {
            throw TakumiError(.failed, "\(folder.assignment) cannot be read")
        }
        let stop = try StopRequest()
        // The server keeps its own files private; a program's outputs may lie on a share that others read.
        umask(0o022)
        // What it does itself stands back, too.
        setpriority(__priority_which_t(PRIO_PGRP.rawValue), 0, Int32(SpawnedProcess.niceness))
        signal(SIGTERM, SIG_IGN)
        signal(SIGINT, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
        source.setEventHandler { stop.request() }
        source.activate()
        defer { source.cancel() }

        // Room for the last word: a program that fills the disk must not keep its own end from being recorded.
        _ = FileManager.default.createFile(atPath: folder.reserve, contents: Data(count: 64 * 1024))
        var state = TaskState(agentPID: getpid(), startedAt: Date())
        try folder.write(state)
        // The server may have asked before there was anyone to signal.
        if FileManager.default.fileExists(atPath: "\(path)/../stop") { stop.request() }

        let agent = Agent(folder: folder, assignment: assignment, staging: try staging(assignment), stop: stop)
        await agent.run(&state)
    }

    private func run(_ state: inout TaskState) async {
        var ended = state
        do {
            ended = try await work(state)
        } catch is CancellationError {
            ended.outcome = .stopped
        } catch let failure as Failure {
            ended = failure.state
            ended.outcome = failure.outcome
            ended.cause = failure.cause
        } catch {
            ended.outcome = .failedToPrepare
            ended.cause = Agent.line(error)
        }
        try? FileTree.remove(folder.work)
        unlink(folder.reserve)
        ended.phase = .ended
        ended.endedAt = Date()
        if let cause = ended.cause, ended.outcome != .succeeded { try? note(cause) }
        record(ended)
        state = ended
    }

    /// A way out of the middle that keeps what is known so far.
    private struct Failure: Error {
        var state: TaskState
        var outcome: TaskState.Outcome
        var cause: String
    }

    private func work(_ initial: TaskState) async throws -> TaskState {
        var state = initial
        let paths = TaskPaths(folder: folder, assignment: assignment)
        try paths.create()
        try await fetchInputs(paths, &state)
        try await placeVolumes(paths)
        if stop.isRequested { throw CancellationError() }

        let preparing = state
        let environment = try await onThread { () throws -> String in
            var state = preparing
            return try prepareEnvironment(paths, &state)
        }
        if stop.isRequested { throw CancellationError() }

        let ready = state
        let (exit, ran) = try await onThread { try runProcess(paths, environment, ready) }
        state = ran
        state.phase = .finishing
        state.exitCode = exit.code
        state.cause = nil
        try await uploadOutputs(paths, state)

        let verdict = Verdict(
            exit: exit, killedForMemory: paths.killedForMemory, spec: assignment.spec, limit: assignment.timeLimit)
        state.outcome = verdict.outcome
        state.cause = verdict.cause
        return state
    }

    // MARK: - Steps

    private func fetchInputs(_ paths: TaskPaths, _ state: inout TaskState) async throws {
        for input in assignment.spec.inputs {
            state.cause = "fetching \(input.uri)"
            let linked = try await cancelledByStop(recording: state) {
                try await staging.fetch(
                    input.uri, into: paths.input(input.name), project: assignment.project, writable: input.writable)
            }
            paths.linked.withLock { $0 += linked }
        }
        if let entry = assignment.spec.entryPoint {
            guard FileManager.default.fileExists(atPath: "\(paths.input(TaskSpec.source))/\(entry)") else {
                let uri = assignment.spec.inputs.first { $0.name == TaskSpec.source }?.uri ?? ""
                throw TakumiError(.failed, "entry point \(entry) is not in \(uri)")
            }
        }
        state.cause = nil
    }

    private func placeVolumes(_ paths: TaskPaths) async throws {
        for volume in assignment.spec.session?.volumes ?? [] {
            guard case .uri(let uri) = volume.source else { continue }
            let directory = try await staging.directory(of: uri, project: assignment.project)
            paths.mounted.withLock { $0[volume.name] = directory }
        }
        try paths.createMountPoints()
    }

    private func prepareEnvironment(_ paths: TaskPaths, _ state: inout TaskState) throws -> String {
        var log = try LogWriter(path: folder.log)
        var current = state
        var last = ""
        let cache = EnvironmentCache(
            folder: assignment.environments, stop: stop,
            // Building a package runs its author's code: no more of this machine than the program itself will see.
            sandbox: assignment.sandbox ? Sandbox() : nil, home: assignment.home,
            report: { text in
                guard text != last else { return }
                last = text
                current.cause = text
                record(current)
            },
            log: { bytes, _ in log.write(bytes, .system) })
        defer { log.finish() }
        return try cache.environment(for: assignment.spec.image, requirements: requirements(paths))
    }

    /// The file of the user's packages; nil where there is none.
    private func requirements(_ paths: TaskPaths) -> String? {
        guard let name = assignment.spec.requirements else { return nil }
        let path = "\(paths.input(TaskSpec.source))/\(name)"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    private func runProcess(_ paths: TaskPaths, _ environment: String, _ ready: TaskState) throws -> (
        ChildExit, TaskState
    ) {
        var state = ready
        let spec = assignment.spec
        let group = ControlGroup(name: "\(assignment.workloadID)-\(assignment.index)", resources: spec.resources)
        defer { group?.remove() }
        state.isolation = [
            assignment.sandbox ? "bubblewrap" : "no sandbox (bubblewrap does not work here)",
            group == nil
                ? "memory watched by the agent (control groups cannot be written here)"
                : "memory and CPU control groups",
        ].joined(separator: ", ")

        let launch = Launch(
            assignment: assignment, paths: paths, environment: environment, hasRequirements: requirements(paths) != nil,
            group: group, stop: stop)
        var how: String?
        let child = ChildProcess(
            timeLimit: assignment.timeLimit, grace: spec.grace, sandboxed: assignment.sandbox,
            start: { output, error in
                let (process, start) = try launch.start(output: output, error: error)
                how = start
                return process
            })
        var log = try LogWriter(path: folder.log)
        var sampler = Sampler(path: folder.samples, gpus: assignment.gpus)
        let limit = spec.resources.memoryMiB << 20
        let watch = spec.session.map { VolumeWatch($0.volumes, paths: paths) }
        let exit = try child.run(
            stop: stop,
            started: { process in
                state.phase = .running
                state.runningAt = Date()
                state.processGroup = process.pid
                state.processStart = ProcessTable.startTime(of: process.pid)
                state.start = how
                record(state)
                watch?.start(on: process.program)
            },
            everySecond: { process in
                let sample = sampler.take(of: process.program, group: group)
                if group == nil, sample.memoryBytes > limit {
                    paths.killedForMemory = true
                    let tree = ProcessTable.tree(of: process.program)
                    for process in spec.session == nil ? tree : MemoryKill.largest(of: tree, sparing: process.program) {
                        kill(process, SIGKILL)
                        state.memoryKills = (state.memoryKills ?? 0) + 1
                    }
                }
                guard spec.session != nil else { return }
                let before = state
                state.volumes = watch?.uses
                if let group { state.memoryKills = group.outOfMemoryKills }
                if state != before { record(state) }
            },
            output: { bytes, stream in log.write(bytes, stream) })
        watch?.stop()
        log.finish()
        if let group, group.outOfMemoryKills > 0 { paths.killedForMemory = true }
        // A session lives on when one of its programs is killed for memory; only what ended it counts.
        if spec.session != nil, exit.code != -Int(SIGKILL) { paths.killedForMemory = false }
        launch.warmForNext()
        return (exit, state)
    }

    private func uploadOutputs(_ paths: TaskPaths, _ state: TaskState) async throws {
        if assignment.index == 0, assignment.count > 1 {
            record(state)
            await siblingsEnded()
        }
        var state = state
        for output in assignment.spec.outputs {
            guard case .uri(let uri) = output.destination else { continue }
            state.cause = "uploading to \(uri)"
            do {
                let warnings = try await recordingIfSlow(state) {
                    try await staging.upload(paths.output(output.name), to: uri, project: assignment.project)
                }
                for warning in warnings { try note(warning) }
            } catch {
                throw Failure(
                    state: state, outcome: .failed,
                    cause: "\(output.name) could not be uploaded to \(uri): \(Agent.line(error))")
            }
        }
    }

    /// The first node uploads last, so that its files win where several nodes wrote the same names.
    private func siblingsEnded() async {
        let siblings = (1..<assignment.count).map { TaskFolder(path: "\(folder.path)/../\($0)") }
        for sibling in siblings {
            while sibling.readState()?.hasEnded != true, sibling.isAgentAlive() {
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    // MARK: - Helpers

    private func record(_ state: TaskState) {
        do {
            try folder.write(state)
        } catch {
            // Disk full: standard error goes to agent.log, which the server quotes when an agent vanishes.
            try? FileHandle.standardError.write(contentsOf: Data("cannot record \(state.phase): \(error)\n".utf8))
        }
        AgentNews.post(assignment.workloadID, to: assignment.news)
    }

    private func note(_ text: String) throws {
        var log = try LogWriter(path: folder.log)
        log.write(system: text)
    }

    /// Records a state only if the work takes long enough for anyone to see it: most trainings fetch and upload a few small
    /// files, and each record costs a file and wakes the server.
    private func recordingIfSlow<T: Sendable>(
        _ state: TaskState, _ body: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: .milliseconds(300))
                record(state)
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    private func cancelledByStop<T: Sendable>(
        recording state: TaskState, _ body: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T.self) { group in
            let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
            stop.onRequest { continuation.finish() }
            group.addTask { try await recordingIfSlow(state, body) }
            group.addTask {
                for await _ in stream {}
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    private func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    static func line(_ error: any Error) -> String {
        if let error = error as? TakumiError { return error.message }
        if let error = error as? CocoaError, error.code == .fileWriteOutOfSpace {
            return "no space left on the server's disk"
        }
        return "\(error)".split(separator: "\n").first.map(String.init) ?? "unknown error"
    }
}
