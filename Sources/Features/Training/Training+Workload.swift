import Catalog
import Engine
import Foundation
import Resource

extension Training {
    /// Names of the folders that a training's task reads and writes.
    private enum Folder {
        static let model = "model"
        static let checkpoint = "checkpoint"
        static let checkpointInput = "checkpoint-input"
        static let tensorBoard = "tensorboard"
        static func dataset(_ name: String) -> String { "data/\(name)" }
    }

    /// The gang of tasks that carries a training out (12.3, 12.4, 12.6).
    /// - Parameter lock: the file of the image's locked packages.
    func workload(image: Image, flavor: Flavor, lock: String, region: String, apiURL: String) -> Workload {
        let tasks = (0..<spec.nodes).map { node in
            TaskSpec(
                command: command(node: node),
                environment: environment(node: node, image: image, flavor: flavor, region: region, apiURL: apiURL),
                image: ImageReference(
                    name: image.name, pythonVersion: image.pythonVersion, lock: lock, digest: image.digest,
                    address: image.address),
                resources: Resources(cpus: flavor.vcpus, memoryMiB: flavor.memoryMiB, gpus: flavor.gpus),
                inputs: inputs, outputs: outputs, ports: ports(node: node, image: image),
                requirements: "requirements.txt",
                entryPoint: spec.entryPoint)
        }
        return Workload(
            id: workloadID, owner: key, project: metadata.project, title: metadata.name,
            timeLimit: spec.timeoutMinutes * 60, tasks: tasks)
    }

    private var inputs: [Input] {
        // The program may write beside itself (caches, downloads), so it gets a copy; data it can only read.
        [Input(name: TaskSpec.source, uri: spec.source, writable: true)]
            + spec.datasets.map { Input(name: Folder.dataset($0.name), uri: $0.uri) }
            + (spec.checkpointInput.map { [Input(name: Folder.checkpointInput, uri: $0)] } ?? [])
    }

    private var outputs: [Output] {
        [
            Output(name: Folder.model, destination: .uri(spec.modelOutput)),
            Output(name: Folder.checkpoint, destination: spec.checkpointOutput.map { .uri($0) } ?? .scratch),
            Output(name: Folder.tensorBoard, destination: .folder(tensorBoardFolder)),
        ]
    }

    // MARK: - Command

    private func command(node: Int) -> [String] {
        let arguments = spec.hyperparameters.flatMap { ["--\($0.name)", $0.value] }
        guard spec.usesTorchrun else { return [Placeholder.python, spec.entryPoint] + arguments }
        // Static rendezvous: the nodes are known, and the port is the engine's, since torchrun's own default can be taken.
        return [Placeholder.python]
            + (spec.nodes > 1 && node == 0 ? ["-c", Training.lingeringTorchrun] : Training.torchrun)
            + [
                "--nnodes", String(spec.nodes), "--nproc-per-node", String(spec.processesPerNode ?? 1), "--node-rank",
                String(node), "--master-addr", "127.0.0.1", "--master-port", Placeholder.port(task: 0, "master"),
                spec.entryPoint,
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
        case .tensorflow: spec.nodes > 1 ? ["worker"] : []
        case .python: []
        }
    }

    // MARK: - Environment

    private func environment(node: Int, image: Image, flavor: Flavor, region: String, apiURL: String)
        -> [String: String]
    {
        var environment = [
            "EM_SOURCE_DIR": Placeholder.input(TaskSpec.source),
            "EM_ENTRY_POINT": spec.entryPoint,
            "EM_MODEL_DIR": Placeholder.output(Folder.model),
            "EM_CHECKPOINT_DIR": Placeholder.output(Folder.checkpoint),
            "EM_TENSORBOARD_LOG_DIR": Placeholder.output(Folder.tensorBoard),
            "EM_REGION": region,
            "EM_APPKEY": metadata.project,
            // The vendor's SDK asks its own cloud on import where it finds a region and no address.
            "EM_API_URL": apiURL,
            "EM_HPS": Training.json(spec.hyperparameters.map { ($0.name, $0.value) }),
            "EM_DATASETS": Training.json(spec.datasets.map { ($0.name, Placeholder.input(Folder.dataset($0.name))) }),
        ]
        for parameter in spec.hyperparameters {
            environment["EM_HP_\(parameter.name.uppercased())"] = parameter.value
        }
        for dataset in spec.datasets {
            environment["EM_DATASET_\(dataset.name.uppercased())"] = Placeholder.input(Folder.dataset(dataset.name))
        }
        if spec.checkpointInput != nil {
            environment["EM_CHECKPOINT_INPUT_DIR"] = Placeholder.input(Folder.checkpointInput)
        }
        if !spec.usesTorchrun {
            // Frameworks count the machine's cores, not the share that the instance type stands for.
            environment["OMP_NUM_THREADS"] = String(flavor.vcpus)
        }
        environment.merge(distribution(node: node, image: image)) { $1 }
        return environment
    }

    private func distribution(node: Int, image: Image) -> [String: String] {
        switch image.framework {
        case .pytorch:
            // All nodes are on this machine, where a host name may resolve to an address that is not there.
            let interfaces = ["GLOO_SOCKET_IFNAME": "lo", "TP_SOCKET_IFNAME": "lo"]
            if spec.usesTorchrun { return interfaces }
            guard spec.nodes > 1 else { return [:] }
            return interfaces.merging([
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": Placeholder.port(task: 0, "master"),
                "WORLD_SIZE": String(spec.nodes), "RANK": String(node),
            ]) { $1 }
        case .tensorflow:
            // With one node TF_CONFIG would turn a plain script into a cluster of one.
            guard spec.nodes > 1 else { return [:] }
            let workers = (0..<spec.nodes).map { "\"127.0.0.1:\(Placeholder.port(task: $0, "worker"))\"" }
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
