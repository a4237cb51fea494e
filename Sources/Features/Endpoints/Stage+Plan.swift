import Engine
import Foundation
import Resource
import ServingKit

/// What is seen of a pod from outside.
struct PodSight: Sendable, Equatable {
    /// nil where its workload was never launched or has been removed.
    var observation: Observation?
    /// Its model server says that it is ready.
    var isServing = false
    /// Requests on their way to it.
    var inFlight = 0
    /// The last line of its log: why a model server that has ended could not go on.
    var lastLine: String?

    var task: TaskState? { observation?.tasks.first ?? nil }
    var hasEnded: Bool { task?.hasEnded ?? false }
    var port: Int? { observation?.ports.first?[ServedModel.port] }
}

/// Pure: a stage with its resources, and what is seen of their pods → what to do, and what it all is then.
struct StagePlan: Equatable {
    /// What there is to do, in this order, after the statuses have been written.
    enum Effect: Equatable {
        case launch(pod: String, of: String)
        case stop(pod: String)
        case remove(pod: String, of: String)
        /// All pods of a resource that goes have gone.
        case delete(resource: String)
        case deleteStage
    }

    /// Seconds after which a pod that is no longer needed is stopped though requests are still on their way to it: a long
    /// answer is not cut by a switch or by fewer pods.
    static let drainLimit = 3600.0
    /// The same for a pod of what is being deleted: whoever deletes is waiting.
    static let deletionLimit = 60.0
    /// Crashes that say nothing about the model are tried again this often before a new resource fails.
    static let tries = 3

    var stage: StageStatus
    var resources: [StageResource]
    var effects: [Effect] = []
    /// Lines for the history, by resource; of the stage under nil.
    var events: [String?: String] = [:]
    /// When to look again though nothing calls.
    var again: Duration?

    private let sights: [String: PodSight]
    private let room: Allotment
    private let now: Date
    private let newID: () -> String
    private let refusal: String?
    /// Resources of which a pod finds no room.
    private var waiting: Set<Int> = []

    /// - Parameters:
    ///   - room: what one instance offers.
    ///   - newID: for pods.
    ///   - refusal: why the gateway could not be told of a stage that is being deployed.
    init(
        _ stage: Stage, _ resources: [StageResource], sights: [String: PodSight], room: Allotment, now: Date,
        newID: @escaping () -> String, refusal: String? = nil
    ) {
        self.stage = stage.status
        self.resources = resources
        self.sights = sights
        self.room = room
        self.now = now
        self.newID = newID
        self.refusal = refusal
        let isLeaving = stage.status.phase == .deleteInProgress
        if self.stage.nodes.isEmpty, !isLeaving {
            self.stage.nodes = (1...max(1, stage.spec.nodeCount)).map { .init(number: $0, addedAt: now) }
        }
        for index in resources.indices {
            if isLeaving { self.resources[index].status.phase = .deleteInProgress }
            look(index)
        }
        if !isLeaving { takeBack() }
        if let rule = stage.spec.autoscaler, !isLeaving { scaleNodes(rule) }
        fill()
        for index in resources.indices { release(index) }
        if isLeaving {
            if self.resources.allSatisfy({ $0.status.pods.isEmpty }) { effects.append(.deleteStage) }
        } else {
            judge(stage.status)
        }
    }

    static func == (left: StagePlan, right: StagePlan) -> Bool {
        left.stage == right.stage && left.resources == right.resources && left.effects == right.effects
    }

    private mutating func lookAgain(in duration: Duration) { again = min(again ?? duration, duration) }

    // MARK: - Pods

    /// What has become of a resource's pods.
    private mutating func look(_ index: Int) {
        var status = resources[index].status
        let before = status
        if status.phase == .createRequested { status.phase = .createInProgress }
        if status.wanted == nil { status.wanted = resources[index].spec.pods }
        // Written before the pods of this round are counted as ready, so that the gateway has known them for a round.
        let wasComplete = before.readyPods >= (before.wanted ?? .max)
        status.pods = status.pods.compactMap { pod in look(pod, &status, index) }
        if status.phase == .createInProgress, wasComplete {
            status.phase = .active
            status.cause = nil
            events[resources[index].id] = "ready"
        }
        if status.phase == .deleteInProgress || status.phase == .createFailed { status.wanted = 0 }
        resources[index].status = status
    }

    /// - Returns: nil where the pod is gone.
    private mutating func look(
        _ pod: StageResourceStatus.Pod, _ status: inout StageResourceStatus, _ index: Int
    ) -> StageResourceStatus.Pod? {
        var pod = pod
        let sight = sights[pod.id] ?? PodSight()
        switch pod.phase {
        case .starting, .ready, .unhealthy:
            if sight.hasEnded {
                fail(pod, sight, &status, index)
                effects.append(.remove(pod: pod.id, of: resources[index].id))
                return nil
            }
            guard sight.observation != nil else {
                // Written, but the server was killed before it launched it.
                effects.append(.launch(pod: pod.id, of: resources[index].id))
                lookAgain(in: .milliseconds(50))
                return pod
            }
            pod.port = sight.port
            pod.grpcPort = sight.observation?.ports.first?[ServedModel.grpcPort]
            if sight.isServing {
                if pod.phase != .ready {
                    (status.failures, status.failedAt) = (0, nil)
                    pod.readyAt = now
                }
                pod.phase = .ready
                lookAgain(in: .seconds(2))
            } else {
                if pod.phase == .ready { pod.phase = .unhealthy }
                if status.phase != .active {
                    status.cause = sight.observation?.waiting ?? sight.task?.cause ?? "the model is being loaded"
                }
                lookAgain(in: sight.task?.phase == .running ? .milliseconds(50) : .seconds(1))
            }
        case .draining:
            let since = pod.leavingSince ?? now
            pod.leavingSince = since
            let waits = now.timeIntervalSince(since)
            let isDeleted = status.phase == .deleteInProgress && stage.isReplaced != true
            if sight.hasEnded || sight.observation == nil {
                pod.phase = .stopping
            } else if sight.inFlight == 0 && waits >= 0.2
                || waits > (isDeleted ? StagePlan.deletionLimit : StagePlan.drainLimit)
            {
                // A request that took its table before the pod left it is counted within the time of one turn.
                pod.phase = .stopping
                effects.append(.stop(pod: pod.id))
            }
            lookAgain(in: .milliseconds(waits < 10 ? 200 : 1000))
        case .stopping:
            guard let observation = sight.observation else { return nil }
            if sight.hasEnded {
                effects.append(.remove(pod: pod.id, of: resources[index].id))
                return nil
            }
            if !observation.stopRequested { effects.append(.stop(pod: pod.id)) }
            lookAgain(in: .seconds(1))
        }
        return pod
    }

    private mutating func fail(
        _ pod: StageResourceStatus.Pod, _ sight: PodSight, _ status: inout StageResourceStatus, _ index: Int
    ) {
        status.failures += 1
        status.failedAt = now
        let task = sight.task
        let saidWhy = task?.outcome == .failed && (task?.exitCode ?? 0) > 0
        let cause = (saidWhy ? sight.lastLine : nil) ?? task?.cause ?? "its process ended"
        status.cause = cause
        guard status.phase == .createInProgress else {
            if status.phase == .active { events[resources[index].id] = "a pod ended: \(cause)" }
            return
        }
        // The model or its settings are at fault: trying again changes nothing.
        let isFinal =
            saidWhy || task?.outcome == .failedToPrepare
            || (task?.outcome == .failed && task?.cause?.contains("out of memory") == true)
        if isFinal || status.failures >= StagePlan.tries {
            status.phase = .createFailed
            events[resources[index].id] = cause
        }
    }

    // MARK: - How many there are

    /// Numbers of instances that are being emptied: pods on them are replaced first and let go afterwards.
    private var leavingNodes: Set<Int> { Set(stage.nodes.filter(\.isLeaving).map(\.number)) }
    private var stayingNodes: [Int] { stage.nodes.filter { !$0.isLeaving }.map(\.number) }

    /// How many pods of a resource are there to stay, on instances that do.
    private func staying(_ index: Int) -> Int {
        resources[index].status.pods.count { $0.isStaying && !leavingNodes.contains($0.node) }
    }

    /// Takes back pods that were let go and still answer somebody, where there are too few again: they hold their room for up
    /// to an hour, and nobody else may have it.
    private mutating func takeBack() {
        for index in resources.indices {
            var lacking = (resources[index].status.wanted ?? 0) - staying(index)
            for position in resources[index].status.pods.indices where lacking > 0 {
                let pod = resources[index].status.pods[position]
                guard pod.phase == .draining, stayingNodes.contains(pod.node) else { continue }
                // Whether it still answers, the next look tells.
                resources[index].status.pods[position].phase = .unhealthy
                resources[index].status.pods[position].leavingSince = nil
                lacking -= 1
                lookAgain(in: .milliseconds(50))
            }
        }
    }

    /// Gives pods that are lacking a place: first those that there are to be at least, as the check of the request has let
    /// them pass; then what autoscalers want besides, in order of arrival.
    private mutating func fill() {
        var packing = Packing(nodes: stayingNodes, room: room)
        var (least, besides): ([Int], [Int]) = ([], [])
        for (index, resource) in resources.enumerated() {
            for pod in resource.status.pods { packing.occupy(pod.node, by: resource.spec.allotment) }
            let (staying, wanted) = (staying(index), resource.status.wanted ?? 0)
            guard staying < wanted, !isHeldBack(resource.status) else { continue }
            for number in staying..<wanted {
                if number < resource.spec.pods { least.append(index) } else { besides.append(index) }
            }
        }
        least.sort { left, right in
            let (a, b) = (resources[left].spec.allotment, resources[right].spec.allotment)
            return packing.isLarger(a, b) || (!packing.isLarger(b, a) && left < right)
        }
        for index in least + besides {
            let allotment = resources[index].spec.allotment
            guard let node = packing.place(allotment) else {
                waiting.insert(index)
                resources[index].status.cause =
                    "waits for room: no instance of this stage has \(allotment.text) free"
                lookAgain(in: .seconds(5))
                continue
            }
            let pod = StageResourceStatus.Pod(id: newID(), node: node, createdAt: now)
            resources[index].status.pods.append(pod)
            effects.append(.launch(pod: pod.id, of: resources[index].id))
            lookAgain(in: .milliseconds(50))
        }
    }

    /// Lets go what is too much.
    private mutating func release(_ index: Int) {
        var status = resources[index].status
        let (wanted, leaving) = (status.wanted ?? 0, leavingNodes)
        let ready = status.pods.count { $0.phase == .ready && !leaving.contains($0.node) }
        for position in status.pods.indices where status.pods[position].isStaying {
            guard leaving.contains(status.pods[position].node), ready >= wanted else { continue }
            letGo(position, &status)
        }
        // Those that are not ready go first, then the youngest.
        let surplus = status.pods.indices.filter {
            status.pods[$0].isStaying && !leaving.contains(status.pods[$0].node)
        }
        .sorted { left, right in
            let (a, b) = (status.pods[left], status.pods[right])
            return (a.phase == .ready ? 1 : 0, b.createdAt) < (b.phase == .ready ? 1 : 0, a.createdAt)
        }
        for position in surplus.prefix(max(0, surplus.count - wanted)) { letGo(position, &status) }
        if status.phase == .active, status.pods.contains(where: { $0.phase == .ready }), status.failures == 0,
            !waiting.contains(index)
        {
            status.cause = nil
        }
        if status.phase == .deleteInProgress, status.pods.isEmpty {
            effects.append(.delete(resource: resources[index].id))
        }
        resources[index].status = status
    }

    private mutating func letGo(_ position: Int, _ status: inout StageResourceStatus) {
        status.pods[position].phase = .draining
        status.pods[position].leavingSince = now
        lookAgain(in: .milliseconds(200))
    }

    /// A pod that keeps ending is started again after 1 s, 2 s, … at most a minute.
    private mutating func isHeldBack(_ status: StageResourceStatus) -> Bool {
        guard status.failures > 0, let failedAt = status.failedAt else { return false }
        let wait = min(60, Double(1 << min(status.failures - 1, 6)))
        let rest = wait - now.timeIntervalSince(failedAt)
        if rest > 0 { lookAgain(in: .milliseconds(Int(rest * 1000) + 1)) }
        return rest > 0
    }

    // MARK: - Instances

    private mutating func scaleNodes(_ rule: NodeAutoscaler) {
        let pods = resources.flatMap { resource in
            resource.status.pods.map { NodeScaler.Pod(node: $0.node, allotment: resource.spec.allotment) }
        }
        var (missing, displaced): ([Allotment], [Allotment]) = ([], [])
        for (index, resource) in resources.enumerated() {
            let (wanted, there) = (resource.status.wanted ?? 0, resource.status.pods.count(where: \.isStaying))
            missing += Array(repeating: resource.spec.allotment, count: max(0, wanted - there))
            displaced += Array(repeating: resource.spec.allotment, count: max(0, min(wanted, there) - staying(index)))
        }
        let scaler = NodeScaler(rule: rule, room: room, now: now)
        stage.nodes = scaler.scaled(stage.nodes, pods: pods, missing: missing, displaced: displaced)
        lookAgain(in: .seconds(10))
    }

    // MARK: - The stage

    private mutating func judge(_ before: StageStatus) {
        let settled = resources.allSatisfy(\.status.phase.isSettled)
        let failed = resources.first { $0.status.phase == .createFailed }
        stage.cause = failed.map { "\($0.metadata.name): \($0.status.cause ?? "could not be created")" }
        switch before.phase {
        case .createRequested:
            stage.phase = .createInProgress
        case .createInProgress:
            guard settled else {
                stage.cause = resources.first { !$0.status.phase.isSettled }?.status.cause
                break
            }
            stage.phase = failed == nil ? .deployInProgress : .createFailed
            lookAgain(in: .milliseconds(1))
        case .deployInProgress:
            stage.phase = refusal == nil ? .active : .deployFailed
            stage.cause = refusal ?? stage.cause
        case .deployFailed:
            // Until it is deployed again by hand.
            stage.cause = before.cause
        case .createFailed:
            // What could not be created has been deleted.
            if settled, failed == nil { stage.phase = .deployInProgress }
        case .active:
            if !settled { stage.cause = nil }
            if failed == nil { stage.cause = trouble() }
        case .deleteInProgress:
            break
        }
        if stage.phase != before.phase { events[nil] = stage.cause ?? Self.line(stage.phase) }
    }

    /// What an active stage lacks.
    private func trouble() -> String? {
        let silent = resources.first {
            ($0.status.wanted ?? 0) > 0 && $0.status.phase == .active && $0.status.readyPods == 0
        }
        return silent.map { "no pod of \($0.metadata.name) is ready: \($0.status.cause ?? "starting")" }
    }

    private static func line(_ phase: StagePhase) -> String {
        switch phase {
        case .createRequested, .createInProgress: "starts its pods"
        case .deployInProgress: "is made known to the gateway"
        case .active: "answers requests"
        case .deleteInProgress: "lets its pods go"
        case .createFailed, .deployFailed: "failed"
        }
    }
}
