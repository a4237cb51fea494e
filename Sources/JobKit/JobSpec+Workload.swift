import Catalog
import Engine
import Foundation
import Resource

/// One run of a job: what differs between a training and a trial.
package struct JobRun: Sendable {
    /// Also the workload's id: launching it twice is launching it once.
    package var id: String
    package var owner: ResourceKey
    package var project: String
    package var title: String
    package var hyperparameters: [JobParameter]
    /// Below the server's home.
    package var tensorBoardFolder: String
    /// Seconds that the program may run.
    package var timeLimit: Int
    /// More runs of the same environment will follow: worth waiting for a warm interpreter.
    package var waitsForWarmth: Bool

    package init(
        id: String, owner: ResourceKey, project: String, title: String, hyperparameters: [JobParameter],
        tensorBoardFolder: String, timeLimit: Int, waitsForWarmth: Bool
    ) {
        self.id = id
        self.owner = owner
        self.project = project
        self.title = title
        self.hyperparameters = hyperparameters
        self.tensorBoardFolder = tensorBoardFolder
        self.timeLimit = timeLimit
        self.waitsForWarmth = waitsForWarmth
    }
}

/// Where a job's programs find their image and the server.
package struct JobEnvironment: Sendable {
    package var image: Image
    package var flavor: Flavor
    /// The file of the image's locked packages.
    package var lock: String
    package var region: String
    package var apiURL: String

    package init(image: Image, flavor: Flavor, lock: String, region: String, apiURL: String) {
        self.image = image
        self.flavor = flavor
        self.lock = lock
        self.region = region
        self.apiURL = apiURL
    }
}

/// Finds what jobs run in.
package struct JobEnvironments: Sendable {
    private let catalog: Catalog
    private let home: String
    private let region: String
    private let apiURL: @Sendable () -> String

    /// - Parameter apiURL: where programs reach the API; known once the server listens.
    package init(catalog: Catalog, home: String, region: String, apiURL: @escaping @Sendable () -> String) {
        self.catalog = catalog
        self.home = home
        self.region = region
        self.apiURL = apiURL
    }

    /// - Parameter noun: what the job is of, for messages: training, tuning.
    /// - Throws: `TakumiError` where the catalog has lost the image or the instance type, or the packages cannot be written.
    package func environment(of job: JobSpec, named noun: String) throws -> JobEnvironment {
        guard let image = catalog.image(id: job.imageID), let flavor = catalog.flavor(id: job.flavorID) else {
            throw TakumiError(.failed, "the image or the instance type of this \(noun) is no longer offered")
        }
        let lock = try LockFile.place(image.lock, digest: image.digest, home: home)
        return JobEnvironment(image: image, flavor: flavor, lock: lock, region: region, apiURL: apiURL())
    }
}

extension ImageReference {
    /// An environment of the product itself, its packages placed in the server's home.
    package init(_ tool: Catalog.Tool, home: String) throws {
        self.init(
            name: tool.name, pythonVersion: tool.pythonVersion, lock: try tool.placeLock(home: home),
            digest: tool.digest, address: "")
    }
}

extension JobSpec {
    /// Names of the folders that a job's task reads and writes.
    private enum Folder {
        static let model = "model"
        static let checkpoint = "checkpoint"
        static let checkpointInput = "checkpoint-input"
        static let tensorBoard = "tensorboard"
        static func dataset(_ name: String) -> String { "data/\(name)" }
    }

    /// The gang of tasks that carries a run out (12.3, 12.4, 12.6).
    package func workload(_ run: JobRun, in environment: JobEnvironment) -> Workload {
        let (image, flavor) = (environment.image, environment.flavor)
        let tasks = (0..<nodes).map { node in
            TaskSpec(
                command: command(run, node: node), environment: variables(run, node: node, environment),
                image: ImageReference(
                    name: image.name, pythonVersion: image.pythonVersion, lock: environment.lock, digest: image.digest,
                    address: image.address),
                resources: Resources(cpus: Double(flavor.vcpus), memoryMiB: flavor.memoryMiB, gpus: flavor.gpus),
                inputs: inputs, outputs: outputs(run), ports: ports(node: node, image: image),
                requirements: "requirements.txt", entryPoint: entryPoint, start: startRule(run, image, flavor))
        }
        return Workload(
            id: run.id, owner: run.owner, project: run.project, title: run.title, timeLimit: run.timeLimit,
            tasks: tasks)
    }

    private var inputs: [Input] {
        // The program may write beside itself (caches, downloads), so it gets a copy; data it can only read.
        [Input(name: TaskSpec.source, uri: source, writable: true)]
            + datasets.map { Input(name: Folder.dataset($0.name), uri: $0.uri) }
            + (checkpointInput.map { [Input(name: Folder.checkpointInput, uri: $0)] } ?? [])
    }

    private func outputs(_ run: JobRun) -> [Output] {
        [
            Output(name: Folder.model, destination: .uri(modelOutput)),
            Output(name: Folder.checkpoint, destination: checkpointOutput.map { .uri($0) } ?? .scratch),
            Output(name: Folder.tensorBoard, destination: .folder(run.tensorBoardFolder)),
        ]
    }

    /// Where a fork would not be what a cold start is, it is not made (docs/warm-images.md).
    private func startRule(_ run: JobRun, _ image: Image, _ flavor: Flavor) -> StartRule {
        if flavor.gpus > 0 { return .cold(reason: "CUDA does not survive a fork") }
        if usesTorchrun { return .cold(reason: "torchrun starts interpreters of its own") }
        if image.imports.isEmpty { return .cold(reason: "\(image.name) has nothing to import first") }
        return .warm(imports: image.imports, waits: run.waitsForWarmth)
    }

    // MARK: - Command

    private func command(_ run: JobRun, node: Int) -> [String] {
        let arguments = run.hyperparameters.flatMap { ["--\($0.name)", $0.value] }
        guard usesTorchrun else { return [Placeholder.python, entryPoint] + arguments }
        // Static rendezvous: the nodes are known, and the port is the engine's, since torchrun's own default can be taken.
        return [Placeholder.python]
            + (nodes > 1 && node == 0 ? ["-c", JobSpec.lingeringTorchrun] : JobSpec.torchrun)
            + [
                "--nnodes", String(nodes), "--nproc-per-node", String(processesPerNode ?? 1), "--node-rank",
                String(node), "--master-addr", "127.0.0.1", "--master-port", Placeholder.port(task: 0, "master"),
                entryPoint,
            ] + arguments
    }

    private static let torchrun = ["-m", "torch.distributed.run"]

    /// torchrun for the node that keeps the rendezvous store. It leaves the last barrier and takes the store with it while
    /// the others may still be reading the barrier's answer, which then fills the log of a training that went well with
    /// tracebacks. So it stays half a second longer.
    private static let lingeringTorchrun = """
        import time
        from torch.distributed.elastic.agent.server import api
        from torch.distributed.run import main
        leave = getattr(api.SimpleElasticAgent, "_exit_barrier", None)
        def linger(agent):
            leave(agent)
            time.sleep(0.5)
        if leave:
            api.SimpleElasticAgent._exit_barrier = linger
        main()
        """

    private func ports(node: Int, image: Image) -> [String] {
        switch image.framework {
        case .pytorch: node == 0 ? ["master"] : []
        case .tensorflow: nodes > 1 ? ["worker"] : []
        case .python: []
        }
    }

    // MARK: - Environment

    private func variables(_ run: JobRun, node: Int, _ place: JobEnvironment) -> [String: String] {
        var environment = [
            "EM_SOURCE_DIR": Placeholder.input(TaskSpec.source),
            "EM_ENTRY_POINT": entryPoint,
            "EM_MODEL_DIR": Placeholder.output(Folder.model),
            "EM_CHECKPOINT_DIR": Placeholder.output(Folder.checkpoint),
            "EM_TENSORBOARD_LOG_DIR": Placeholder.output(Folder.tensorBoard),
            "EM_REGION": place.region,
            "EM_APPKEY": run.project,
            // The vendor's SDK asks its own cloud on import where it finds a region and no address.
            "EM_API_URL": place.apiURL,
            "EM_HPS": JobSpec.json(run.hyperparameters.map { ($0.name, $0.value) }),
            "EM_DATASETS": JobSpec.json(datasets.map { ($0.name, Placeholder.input(Folder.dataset($0.name))) }),
        ]
        for parameter in run.hyperparameters {
            environment["EM_HP_\(parameter.name.uppercased())"] = parameter.value
        }
        for dataset in datasets {
            environment["EM_DATASET_\(dataset.name.uppercased())"] = Placeholder.input(Folder.dataset(dataset.name))
        }
        if checkpointInput != nil {
            environment["EM_CHECKPOINT_INPUT_DIR"] = Placeholder.input(Folder.checkpointInput)
        }
        if !usesTorchrun {
            // Frameworks count the machine's cores, not the share that the instance type stands for.
            environment["OMP_NUM_THREADS"] = String(place.flavor.vcpus)
        }
        environment.merge(distribution(node: node, image: place.image)) { $1 }
        return environment
    }

    private func distribution(node: Int, image: Image) -> [String: String] {
        switch image.framework {
        case .pytorch:
            // All nodes are on this machine, where a host name may resolve to an address that is not there.
            let interfaces = ["GLOO_SOCKET_IFNAME": "lo", "TP_SOCKET_IFNAME": "lo"]
            if usesTorchrun { return interfaces }
            guard nodes > 1 else { return [:] }
            return interfaces.merging([
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": Placeholder.port(task: 0, "master"),
                "WORLD_SIZE": String(nodes), "RANK": String(node),
            ]) { $1 }
        case .tensorflow:
            // With one node TF_CONFIG would turn a plain script into a cluster of one.
            guard nodes > 1 else { return [:] }
            let workers = (0..<nodes).map { "\"127.0.0.1:\(Placeholder.port(task: $0, "worker"))\"" }
            return [
                "TF_CONFIG":
                    #"{"cluster": {"worker": [\#(workers.joined(separator: ", "))]}, "task": {"type": "worker", "index": \#(node)}}"#
            ]
        case .python:
            return [:]
        }
    }

    /// A JSON object whose keys keep their order.
    private static func json(_ pairs: [(String, String)]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let fields = pairs.map { pair in
            [pair.0, pair.1].map { String(decoding: (try? encoder.encode($0)) ?? Data("\"\"".utf8), as: UTF8.self) }
                .joined(separator: ": ")
        }
        return "{\(fields.joined(separator: ", "))}"
    }
}
