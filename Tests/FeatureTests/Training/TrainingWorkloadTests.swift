import Catalog
import Engine
import Foundation
import JobKit
import Resource
import Testing

@testable import TrainingFeature

@Suite struct TrainingWorkloadTests {
    private func workload(
        alias: String, nodes: Int = 1, torchrun: Bool = false, change: (inout TrainingSpec) -> Void = { _ in }
    ) throws -> Workload {
        let catalog = try Catalog()
        let image = try #require(catalog.images.first { $0.alias == alias })
        let flavor = try #require(catalog.flavors.first { $0.name == "m2.c2m4" })
        var spec = TrainingSpec(
            experimentID: "e",
            job: JobSpec(
                imageID: image.id, flavorID: flavor.id, nodes: nodes, source: "obs://s", entryPoint: "train.py",
                datasets: [.init(name: "train", uri: "obs://d")], modelOutput: "obs://m", usesTorchrun: torchrun,
                processesPerNode: torchrun ? 2 : nil, timeoutMinutes: 60),
            hyperparameters: [.init(name: "epochs", value: "10"), .init(name: "Model-Version", value: "a \"b\" {c}")],
            runName: "iris-1")
        change(&spec)
        let training = Training(
            metadata: Metadata(
                key: ResourceKey(.training, "t"), project: "default", name: "iris",
                createdAt: Date(timeIntervalSince1970: 0)),
            spec: spec, status: TrainingStatus())
        return training.workload(
            in: JobEnvironment(
                image: image, flavor: flavor, lock: "lock", region: "kr1", apiURL: "http://takumi.test"))
    }

    @Test func hyperparametersBecomeArgumentsAndVariables() throws {
        let task = try workload(alias: "python").tasks[0]
        #expect(
            task.command == [
                Placeholder.python, "train.py", "--epochs", "10", "--Model-Version", "a \"b\" {c}",
            ])
        #expect(task.environment["EM_HP_EPOCHS"] == "10")
        #expect(task.environment["EM_HP_MODEL-VERSION"] == "a \"b\" {c}")
        let all = try JSONDecoder().decode([String: String].self, from: Data((task.environment["EM_HPS"] ?? "").utf8))
        #expect(all == ["epochs": "10", "Model-Version": "a \"b\" {c}"])
    }

    @Test func datasetsBecomeFoldersThatCannotBeWritten() throws {
        let task = try workload(alias: "python").tasks[0]
        #expect(task.environment["EM_DATASET_TRAIN"] == Placeholder.input("data/train"))
        #expect(task.inputs.first { $0.name == "data/train" }?.writable == false)
        #expect(task.inputs.first { $0.name == TaskSpec.source }?.writable == true)
        #expect(task.environment["EM_DATASETS"] == "{\"train\": \"\(Placeholder.input("data/train"))\"}")
    }

    @Test func theOtherVariablesOfTheGuide() throws {
        let environment = try workload(alias: "python").tasks[0].environment
        #expect(environment["EM_SOURCE_DIR"] == Placeholder.input(TaskSpec.source))
        #expect(environment["EM_ENTRY_POINT"] == "train.py")
        #expect(environment["EM_MODEL_DIR"] == Placeholder.output("model"))
        #expect(environment["EM_CHECKPOINT_DIR"] == Placeholder.output("checkpoint"))
        #expect(environment["EM_CHECKPOINT_INPUT_DIR"] == nil)
        #expect(environment["EM_TENSORBOARD_LOG_DIR"] == Placeholder.output("tensorboard"))
        #expect(environment["EM_REGION"] == "kr1")
        #expect(environment["EM_APPKEY"] == "default")
        let resumed = try workload(alias: "python") { $0.job.checkpointInput = "obs://c" }.tasks[0]
        #expect(resumed.environment["EM_CHECKPOINT_INPUT_DIR"] == Placeholder.input("checkpoint-input"))
    }

    @Test func oneNodeGetsNoTFConfig() throws {
        #expect(try workload(alias: "tensorflow").tasks[0].environment["TF_CONFIG"] == nil)
    }

    @Test func severalNodesGetTFConfigWithEachOthersPorts() throws {
        let tasks = try workload(alias: "tensorflow", nodes: 2).tasks
        #expect(tasks.map(\.ports) == [["worker"], ["worker"]])
        let text = try #require(tasks[1].environment["TF_CONFIG"])
        let filled = Placeholder.fill(
            text, [Placeholder.port(task: 0, "worker"): "1000", Placeholder.port(task: 1, "worker"): "2000"])
        struct Config: Decodable, Equatable {
            struct Task: Decodable, Equatable {
                var type: String
                var index: Int
            }
            var cluster: [String: [String]]
            var task: Task
        }
        let config = try JSONDecoder().decode(Config.self, from: Data(filled.utf8))
        #expect(config.cluster == ["worker": ["127.0.0.1:1000", "127.0.0.1:2000"]])
        #expect(config.task == .init(type: "worker", index: 1))
    }

    @Test func torchrunGetsNodesProcessesAndOneMasterPort() throws {
        let tasks = try workload(alias: "pytorch", nodes: 2, torchrun: true).tasks
        #expect(tasks.map(\.ports) == [["master"], []])
        for (rank, task) in tasks.enumerated() {
            let command = task.command
            func value(_ option: String) -> String? { command.firstIndex(of: option).map { command[$0 + 1] } }
            #expect(value("--nnodes") == "2")
            #expect(value("--nproc-per-node") == "2")
            #expect(value("--node-rank") == "\(rank)")
            #expect(value("--master-port") == Placeholder.port(task: 0, "master"))
            #expect(command.contains("train.py"))
            #expect(task.environment["OMP_NUM_THREADS"] == nil)
        }
    }

    @Test func plainDistributedPyTorchGetsRanks() throws {
        let tasks = try workload(alias: "pytorch", nodes: 3).tasks
        #expect(tasks.map { $0.environment["RANK"] } == ["0", "1", "2"])
        #expect(tasks.allSatisfy { $0.environment["WORLD_SIZE"] == "3" })
    }

    @Test func checkpointsGoNowhereUnlessAsked() throws {
        let plain = try workload(alias: "python").tasks[0].outputs
        #expect(plain.first { $0.name == "checkpoint" }?.destination == .scratch)
        let asked = try workload(alias: "python") { $0.job.checkpointOutput = "obs://c" }.tasks[0].outputs
        #expect(asked.first { $0.name == "checkpoint" }?.destination == .uri("obs://c"))
    }

    @Test func theTimeLimitIsInSeconds() throws {
        #expect(try workload(alias: "python").timeLimit == 3600)
    }
}
