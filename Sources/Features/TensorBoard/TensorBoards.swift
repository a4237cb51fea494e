import Catalog
import Engine
import Foundation
import Gateway
import JobKit
import Resource
import ServiceLifecycle

/// Starts TensorBoard for a folder of logs when somebody looks, and stops it when nobody has for a while.
///
/// Each is a workload like any other: sandboxed, found again after a restart. Its id says what it shows.
actor TensorBoards: Service {
    struct Settings: Sendable {
        var home: String
        var idle: Duration
        /// Logs older than this are removed (12.5).
        var retention: TimeInterval = 120 * 24 * 3600
    }

    private static let prefix = "tensorboard-"
    private let engine: any Engine
    private let catalog: Catalog
    private let client: PortClient
    private let settings: Settings
    private var lastUse: [String: ContinuousClock.Instant] = [:]
    private var ready: [String: Int] = [:]

    init(engine: any Engine, catalog: Catalog, client: PortClient, settings: Settings) {
        self.engine = engine
        self.catalog = catalog
        self.client = client
        self.settings = settings
    }

    /// The port on which a TensorBoard for `folder` answers below `path`; started if need be.
    ///
    /// - Parameter folder: below the home.
    /// - Throws: `unavailable` with the reason where it does not come up in time.
    func port(for key: ResourceKey, project: String, folder: String, path: String) async throws -> Int {
        let id = "\(TensorBoards.prefix)\(key.kind)-\(key.id)"
        lastUse[id] = .now
        if let port = ready[id] {
            let observation = await engine.observe(id)
            if observation?.ports.first?["http"] == port, observation?.tasks.first??.hasEnded != true { return port }
            ready[id] = nil
        }
        let deadline = ContinuousClock.now + .seconds(300)
        var cause = "TensorBoard is starting"
        while .now < deadline {
            let observation = await engine.observe(id)
            if let state = observation?.tasks.first ?? nil, state.hasEnded {
                ready[id] = nil
                if state.outcome == .failedToPrepare {
                    try? await engine.remove(id)
                    throw TakumiError(
                        .unavailable, "TensorBoard could not be started: \(state.cause ?? "no reason given")")
                }
                try? await engine.remove(id)
            } else if observation == nil {
                try await engine.launch(try workload(id: id, key: key, project: project, folder: folder, path: path))
            } else if let port = observation?.ports.first?["http"], await client.answers(port: port, path: path) {
                ready[id] = port
                return port
            }
            cause = observation?.waiting ?? observation?.tasks.first??.cause ?? cause
            try await Task.sleep(for: .milliseconds(100))
        }
        throw TakumiError(.unavailable, "TensorBoard is not ready yet: \(cause); try again")
    }

    /// Whether the port is still that of the resource's TensorBoard, as far as is known without a look.
    func holds(_ port: Int, for key: ResourceKey) -> Bool {
        ready["\(TensorBoards.prefix)\(key.kind)-\(key.id)"] == port
    }

    private func workload(id: String, key: ResourceKey, project: String, folder: String, path: String) throws
        -> Workload
    {
        try FileManager.default.createDirectory(
            atPath: "\(settings.home)/\(folder)", withIntermediateDirectories: true)
        let task = TaskSpec(
            command: [
                Placeholder.python, "-m", "tensorboard.main", "--logdir", Placeholder.output("logs"), "--host",
                "127.0.0.1",
                "--port", Placeholder.port(task: 0, "http"), "--path_prefix", String(path.dropLast()),
                "--reload_interval",
                "5", "--window_title", "TensorBoard · Takumi",
            ],
            image: try ImageReference(catalog.tensorBoard, home: settings.home),
            resources: Resources(cpus: 0, memoryMiB: 1024),
            outputs: [Output(name: "logs", destination: .folder(folder))],
            ports: ["http"], grace: 2)
        // Somebody sits and waits for it.
        return Workload(id: id, owner: key, project: project, title: "TensorBoard", priority: 100, tasks: [task])
    }

    // MARK: - Service

    func run() async throws {
        for id in await engine.activeIDs() where id.hasPrefix(TensorBoards.prefix) { lastUse[id] = .now }
        await cancelWhenGracefulShutdown {
            var rounds = 0
            while !Task.isCancelled {
                await self.stopIdle()
                if rounds % 360 == 0 { await self.removeOldLogs() }
                rounds += 1
                try? await Task.sleep(for: .seconds(10))
            }
        }
    }

    private func stopIdle() async {
        for (id, instant) in lastUse where instant + settings.idle < .now {
            lastUse[id] = nil
            ready[id] = nil
            await engine.stop(id)
        }
    }

    /// Removes the runs whose newest file is older than the retention.
    private func removeOldLogs() {
        let files = FileManager.default
        let root = "\(settings.home)/tensorboard"
        let limit = Date().addingTimeInterval(-settings.retention)
        // project / experiment / run
        for project in (try? files.contentsOfDirectory(atPath: root)) ?? [] {
            for experiment in (try? files.contentsOfDirectory(atPath: "\(root)/\(project)")) ?? [] {
                let folder = "\(root)/\(project)/\(experiment)"
                for run in (try? files.contentsOfDirectory(atPath: folder)) ?? [] {
                    if newest(below: "\(folder)/\(run)") < limit { try? FileTree.remove("\(folder)/\(run)") }
                }
            }
        }
    }

    private func newest(below path: String) -> Date {
        func date(_ path: String) -> Date {
            (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date) ?? .distantPast
        }
        let files = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return files.reduce(date(path)) { max($0, date("\(path)/\($1)")) }
    }
}
