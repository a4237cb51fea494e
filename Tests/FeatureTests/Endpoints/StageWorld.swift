import Engine
import Foundation
import Resource
import ServingKit

@testable import EndpointsFeature

/// A stage with its resources, and pods that do what a test lets them: time passes by hand.
struct StageWorld {
    var stage: Stage
    var resources: [StageResource]
    var sights: [String: PodSight] = [:]
    var now = Date(timeIntervalSince1970: 1_000_000)
    var room = Allotment(cpus: 2, memoryMiB: 4096)
    private(set) var launched: [String] = []
    private(set) var stopped: [String] = []
    private(set) var removed: [String] = []
    private(set) var deleted: [String] = []
    private(set) var isGone = false
    private(set) var events: [String] = []
    private var nextID = 0

    init(nodes: Int = 1, autoscaler: NodeAutoscaler? = nil, pods: [Int] = [1], cpus: Double = 1, memory: Int = 1024) {
        let start = now
        stage = Stage(
            metadata: Metadata(key: ResourceKey(.stage, "s"), project: "default", name: "blue", createdAt: start),
            spec: StageSpec(
                endpointID: "e", path: "blue", flavorID: "f", nodeCount: nodes, autoscaler: autoscaler, usesLog: false),
            status: StageStatus())
        resources = pods.enumerated().map { index, count in
            StageResource(
                metadata: Metadata(
                    key: ResourceKey(.stageResource, "r\(index)"), project: "default", name: "iris\(index)",
                    createdAt: start),
                spec: StageResourceSpec(
                    endpointID: "e", stageID: "s", modelID: "m\(index)", path: "iris\(index)",
                    allotment: Allotment(cpus: cpus, memoryMiB: memory), pods: count),
                status: StageResourceStatus())
        }
    }

    var pods: [StageResourceStatus.Pod] { resources.flatMap(\.status.pods) }

    static func task(
        _ phase: TaskState.Phase, _ outcome: TaskState.Outcome? = nil, exit: Int? = nil, cause: String? = nil
    ) -> TaskState {
        var state = TaskState(agentPID: 1, startedAt: Date(timeIntervalSince1970: 1_000_000))
        (state.phase, state.outcome, state.exitCode, state.cause) = (phase, outcome, exit, cause)
        return state
    }

    /// One turn of the reconciler: looks, plans, does.
    @discardableResult
    mutating func turn(after seconds: Double = 0) -> StagePlan {
        now = now.addingTimeInterval(seconds)
        var count = nextID
        let plan = StagePlan(
            stage, resources, sights: sights, room: room, now: now,
            newID: {
                count += 1
                return "p\(count)"
            })
        nextID = count
        stage.status = plan.stage
        resources = plan.resources
        events += plan.events.values
        for effect in plan.effects {
            switch effect {
            case .launch(let pod, _):
                launched.append(pod)
                sights[pod] = PodSight(
                    observation: Observation(tasks: [StageWorld.task(.preparing)], ports: [[ServedModel.port: 9000]]))
            case .stop(let pod):
                stopped.append(pod)
                sights[pod]?.observation?.stopRequested = true
            case .remove(let pod, _):
                removed.append(pod)
                sights[pod] = nil
            case .delete(let id):
                deleted.append(id)
                resources.removeAll { $0.id == id }
            case .deleteStage:
                isGone = true
            }
        }
        return plan
    }

    mutating func run(_ pod: String, serving: Bool = true) {
        sights[pod]?.observation?.tasks = [StageWorld.task(.running)]
        sights[pod]?.isServing = serving
    }

    mutating func end(
        _ pod: String, _ outcome: TaskState.Outcome, exit: Int? = nil, cause: String? = nil, line: String? = nil
    ) {
        sights[pod]?.observation?.tasks = [StageWorld.task(.ended, outcome, exit: exit, cause: cause)]
        sights[pod]?.isServing = false
        sights[pod]?.lastLine = line
    }

    /// Until everything that was launched answers.
    mutating func settle() {
        for _ in 0..<6 {
            turn(after: 1)
            for pod in pods where pod.phase == .starting { run(pod.id) }
        }
    }
}
