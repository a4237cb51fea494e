import Foundation
import Logging
import Resource
import ServiceLifecycle

/// Runs workloads as processes of this machine, each task owned by a small agent process that outlives the server.
///
/// Everything that must survive is in files (`WorkloadFolder`): this actor can be killed at any instruction and built again
/// from them. An agent takes its task's lock before it does anything, so starting one twice starts it once.
package actor ProcessEngine: Engine, Service {
    package struct Settings: Sendable {
        package var home: String
        /// The program that is started as `PROGRAM agent TASKFOLDER`.
        package var program: String
        package var overcommit: Double
        package var reserveMiB: Int
        /// Where image environments are kept, content-addressed; may be shared by several servers.
        package var environments: String
        /// Whether bubblewrap works here.
        package var sandbox: Bool
        /// nil where programs always start cold.
        package var warm: WarmSettings?
        /// What idle warm interpreters may hold together.
        package var warmMemoryMiB: Int

        package init(
            home: String, program: String, overcommit: Double, reserveMiB: Int, environments: String, sandbox: Bool,
            warm: WarmSettings? = nil, warmMemoryMiB: Int = 1024
        ) {
            self.home = home
            self.program = program
            self.overcommit = overcommit
            self.reserveMiB = reserveMiB
            self.environments = environments
            self.sandbox = sandbox
            self.warm = warm
            self.warmMemoryMiB = warmMemoryMiB
        }
    }

    private struct Active {
        var workload: Workload
        var grant: Grant?
        /// Agents that this process started and must reap, by task.
        var children: [Int: pid_t] = [:]
        var stopRequested = false
    }

    private let settings: Settings
    private let logger: Logger
    private let news: AgentNews
    private var admission: Admission
    private var active: [String: Active] = [:]
    /// Called with the owner of a workload whenever there is something new to observe.
    private let changed: @Sendable (ResourceKey) -> Void

    package init(settings: Settings, logger: Logger, changed: @escaping @Sendable (ResourceKey) -> Void) throws {
        self.settings = settings
        self.logger = logger
        self.changed = changed
        news = try AgentNews(home: settings.home)
        admission = Admission(
            capacity: Machine.capacity(overcommit: settings.overcommit, reserveMiB: settings.reserveMiB))
        try FileManager.default.createDirectory(
            atPath: "\(settings.home)/workloads/active", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    // MARK: - Service

    package func run() async throws {
        recover()
        let warm = settings.warm.map { WarmKeeper(folder: $0.folder, limitMiB: settings.warmMemoryMiB) }
        warm?.forgetUnusable()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await id in self.news.messages { await self.look(at: id) } }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: .seconds(1))
                        await self.lookAtAll()
                    }
                }
                group.addTask {
                    while !Task.isCancelled {
                        warm?.giveBack()
                        try? await Task.sleep(for: .seconds(5))
                    }
                }
            }
        }
        warm?.endAll()
        news.finish()
    }

    // MARK: - Engine

    package func check(_ tasks: [Resources]) throws {
        try admission.check(tasks)
    }

    package func capacity() -> Capacity { admission.capacityWithUse }

    package func activeIDs() -> [String] { Array(active.keys) }

    package func launch(_ workload: Workload) throws {
        let folder = WorkloadFolder(home: settings.home, id: workload.id)
        guard active[workload.id] == nil, !FileManager.default.fileExists(atPath: folder.workload) else { return }
        try check(workload.tasks.map(\.resources))
        try FileManager.default.createDirectory(
            atPath: folder.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // The marker first: a workload file without it would be forgotten by a restart.
        let marker = WorkloadFolder.active(home: settings.home, id: workload.id)
        guard FileManager.default.createFile(atPath: marker, contents: nil) else {
            throw SystemError("write \(marker)")
        }
        try JSONFile.write(workload, to: folder.workload)
        active[workload.id] = Active(workload: workload)
        enqueue(workload)
        admit()
    }

    package func observe(_ id: String) -> Observation? {
        let folder = WorkloadFolder(home: settings.home, id: id)
        guard let workload = active[id]?.workload ?? JSONFile.read(Workload.self, at: folder.workload) else {
            return nil
        }
        return Observation(
            tasks: workload.tasks.indices.map { folder.task($0).readState() },
            waiting: admission.reason(id: id),
            stopRequested: FileManager.default.fileExists(atPath: folder.stop), ports: active[id]?.grant?.ports ?? [])
    }

    package func stop(_ id: String) {
        guard var entry = active[id] else { return }
        entry.stopRequested = true
        active[id] = entry
        let folder = WorkloadFolder(home: settings.home, id: id)
        _ = FileManager.default.createFile(atPath: folder.stop, contents: nil)
        if entry.grant == nil {
            // Never admitted: there is no agent to stop.
            endUnstarted(entry, folder)
            return
        }
        for index in entry.workload.tasks.indices {
            let task = folder.task(index)
            guard let state = task.readState(), !state.hasEnded, task.isAgentAlive() else { continue }
            kill(state.agentPID, SIGTERM)
        }
    }

    package func remove(_ id: String) throws {
        guard active[id] == nil else {
            throw TakumiError(.conflict, "workload \(id) still runs; stop it first")
        }
        try FileTree.remove(WorkloadFolder(home: settings.home, id: id).path)
    }

    // MARK: - Admission

    private func enqueue(_ workload: Workload) {
        admission.enqueue(
            id: workload.id, title: workload.title, priority: workload.priority, tasks: workload.tasks.map(\.resources))
    }

    private func admit() {
        for (id, gpus) in admission.admit() {
            guard var entry = active[id] else {
                admission.release(id: id)
                continue
            }
            let folder = WorkloadFolder(home: settings.home, id: id)
            do {
                let grant = try Grant(workload: entry.workload, gpus: gpus)
                try JSONFile.write(grant, to: folder.grant)
                entry.grant = grant
                active[id] = entry
                try startAgents(id)
                changed(entry.workload.owner)
            } catch {
                logger.error("cannot start", metadata: ["workload": "\(id)", "error": "\(error)"])
                markLost(id, cause: "could not be started: \(error)")
            }
        }
    }

    /// Starts an agent for each task that has none and never had one.
    private func startAgents(_ id: String) throws {
        guard let entry = active[id], let grant = entry.grant else { return }
        let folder = WorkloadFolder(home: settings.home, id: id)
        for (index, spec) in entry.workload.tasks.enumerated() {
            let task = folder.task(index)
            if task.readState() != nil || task.isAgentAlive() { continue }
            try FileManager.default.createDirectory(atPath: task.path, withIntermediateDirectories: true)
            let assignment = TaskAssignment(
                workloadID: id, owner: entry.workload.owner, project: entry.workload.project, index: index,
                count: entry.workload.tasks.count, spec: grant.resolved(spec), timeLimit: entry.workload.timeLimit,
                gpus: grant.gpus[index], home: settings.home, environments: settings.environments,
                sandbox: settings.sandbox, news: news.name, warm: settings.warm)
            try JSONFile.write(assignment, to: task.assignment)
            let log = open(task.agentLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            defer { close(log) }
            active[id]?.children[index] = try Spawn.start(
                settings.program, ["agent", task.path], environment: agentEnvironment, output: log, error: log,
                grouping: .newSession)
        }
    }

    /// What an agent may know of the server's environment: how to find programs and packages, and nothing secret.
    private var agentEnvironment: [String: String] {
        ProcessInfo.processInfo.environment.filter { name, _ in
            ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH"].contains(name)
                || ["UV_", "PIP_", "TAKUMI_"].contains { name.hasPrefix($0) }
                || ["http_proxy", "https_proxy", "no_proxy"].contains(name.lowercased())
        }
    }

    // MARK: - Looking after what runs

    /// Finds the workloads that a former server left, with their agents.
    private func recover() {
        let ids = (try? FileManager.default.contentsOfDirectory(atPath: "\(settings.home)/workloads/active")) ?? []
        var waiting: [(Date, Workload)] = []
        for id in ids where active[id] == nil {
            let folder = WorkloadFolder(home: settings.home, id: id)
            guard let workload = JSONFile.read(Workload.self, at: folder.workload) else {
                // Killed between the marker and the file: the reconciler launches it again.
                unlink(WorkloadFolder.active(home: settings.home, id: id))
                continue
            }
            var entry = Active(workload: workload)
            entry.stopRequested = FileManager.default.fileExists(atPath: folder.stop)
            entry.grant = JSONFile.read(Grant.self, at: folder.grant)
            active[id] = entry
            if let grant = entry.grant {
                admission.restore(
                    id: id, title: workload.title, tasks: workload.tasks.map(\.resources), gpus: grant.gpus)
                try? startAgents(id)
            } else {
                let date =
                    try? FileManager.default.attributesOfItem(atPath: folder.workload)[.modificationDate] as? Date
                waiting.append((date ?? .distantPast, workload))
            }
        }
        for (_, workload) in waiting.sorted(by: { $0.0 < $1.0 }) { enqueue(workload) }
        for id in active.keys { look(at: id) }
        admit()
    }

    private func lookAtAll() {
        for id in active.keys { look(at: id) }
        admit()
    }

    /// Reads what the agents of one workload recorded, and acts on it: reaps, notices agents that vanished, stops the
    /// others when one failed, frees the resources when all have ended.
    private func look(at id: String) {
        guard let entry = active[id], entry.grant != nil else { return }
        let folder = WorkloadFolder(home: settings.home, id: id)
        reap(id)
        var states = entry.workload.tasks.indices.map { folder.task($0).readState() }
        for (index, state) in states.enumerated() where state?.hasEnded != true {
            let task = folder.task(index)
            // Alive, or started a moment ago and not yet at its lock.
            if task.isAgentAlive() || active[id]?.children[index] != nil { continue }
            // It may have ended between the two looks.
            let now = task.readState()
            states[index] = now?.hasEnded == true ? now : declareLost(task, state: now)
        }
        let failed = states.contains { $0?.hasEnded == true && $0?.outcome != .succeeded }
        if failed, !entry.stopRequested, states.contains(where: { $0?.hasEnded != true }) { stop(id) }
        // A stop that came before an agent had recorded itself reaches it by the file; this reaches it by signal.
        if entry.stopRequested, states.contains(where: { $0 != nil && $0?.hasEnded != true }) { stop(id) }
        if states.allSatisfy({ $0?.hasEnded == true }) { finish(id) }
        changed(entry.workload.owner)
    }

    private func reap(_ id: String) {
        for (index, pid) in active[id]?.children ?? [:] {
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid { active[id]?.children[index] = nil }
        }
    }

    private func finish(_ id: String) {
        unlink(WorkloadFolder.active(home: settings.home, id: id))
        admission.release(id: id)
        // An agent that has recorded its end exits within milliseconds; leaving it unreaped would leave a zombie.
        for pid in (active.removeValue(forKey: id)?.children ?? [:]).values {
            Thread.detachNewThread { waitpid(pid, nil, 0) }
        }
        admit()
    }

    /// Records the end of a task whose agent was killed, after ending whatever the agent had started.
    private func declareLost(_ task: TaskFolder, state: TaskState?) -> TaskState? {
        guard let lock = FileLock(path: task.lock), lock.tryLock() else { return state }
        var state = state ?? TaskState(agentPID: 0, startedAt: Date())
        if let group = state.processGroup, ProcessTable.startTime(of: group) == state.processStart {
            for pid in ProcessTable.tree(of: group) { kill(pid, SIGKILL) }
            kill(-group, SIGKILL)
        }
        state.phase = .ended
        state.outcome = .lost
        state.cause = "the agent of this node was killed (\(lastWords(task)))"
        state.endedAt = Date()
        unlink(task.reserve)
        do { try task.write(state) } catch { logger.error("cannot record a lost task: \(error)") }
        return state
    }

    private func lastWords(_ task: TaskFolder) -> String {
        let text = FileManager.default.contents(atPath: task.agentLog).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").last.map { String($0).excerpt } ?? "no message"
    }

    private func markLost(_ id: String, cause: String) {
        guard let entry = active[id] else { return }
        recordEnd(entry, WorkloadFolder(home: settings.home, id: id), .failedToPrepare, cause)
    }

    private func endUnstarted(_ entry: Active, _ folder: WorkloadFolder) {
        recordEnd(entry, folder, .stopped, "stopped before it started")
    }

    private func recordEnd(_ entry: Active, _ folder: WorkloadFolder, _ outcome: TaskState.Outcome, _ cause: String) {
        for index in entry.workload.tasks.indices where folder.task(index).readState()?.hasEnded != true {
            var state = folder.task(index).readState() ?? TaskState(agentPID: 0, startedAt: Date())
            state.phase = .ended
            state.outcome = outcome
            state.cause = cause
            state.endedAt = Date()
            try? FileManager.default.createDirectory(
                atPath: folder.task(index).path, withIntermediateDirectories: true)
            do { try folder.task(index).write(state) } catch { logger.error("cannot record an end: \(error)") }
        }
        finish(entry.workload.id)
        changed(entry.workload.owner)
    }
}
