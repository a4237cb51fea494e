import Catalog
import Control
import Engine
import FeatureKit
import Foundation
import Gateway
import Resource
import ServingKit
import Storage
import Store
import Synchronization
import Telemetry

/// Performs what `StagePlan` decides: for a stage with all its resources and pods at once, so that no two of them give the
/// same room away.
struct StageReconciler: Reconciler {
    let kind = ResourceKind.stage
    let store: Store
    let engine: any Engine
    let catalog: Catalog
    let traffic: any Traffic
    let publisher: RoutePublisher
    let pods: PodMaker
    let scaling = Scaling()
    let sources: ClockAndIDs
    let home: String
    /// Asks whether a model server on a port is ready.
    let isReady: @Sendable (_ port: Int) async -> Bool
    /// Wakes an endpoint, whose state follows from its stages'.
    let wake: @Sendable (ResourceKey) -> Void

    func reconcile(_ key: ResourceKey) async throws -> Duration? {
        guard let stage: Stage = try await store.resource(key) else { return nil }
        guard let flavor = catalog.flavor(id: stage.spec.flavorID) else {
            return try await refuse(stage, "the instance type of this stage is no longer offered")
        }
        if stage.status.phase == .deleteInProgress { try await forget(stage) }
        let refusal = stage.status.phase == .deployInProgress ? try await refusal() : nil
        let stored = try await self.resources(of: stage)
        var resources = stored
        let sights = await look(at: resources)
        var scaled: Duration?
        for index in resources.indices { scaled = scale(&resources[index], sights) ?? scaled }
        let plan = StagePlan(
            stage, resources, sights: sights, room: Allotment(of: flavor), now: sources.now(), newID: sources.newID,
            refusal: refusal)
        guard try await write(plan, stage, stored) else { return .zero }
        for effect in plan.effects {
            if try await perform(effect, stage, plan.resources) { return nil }
        }
        return [plan.again, scaled].compactMap { $0 }.min()
    }

    private func resources(of stage: Stage) async throws -> [StageResource] {
        var query = Query(.stageResource, project: stage.metadata.project)
        query.referring = stage.key
        // Oldest first: who came first keeps its room.
        return try await store.records(query).map { try $0.decoded() }.reversed()
    }

    /// Nothing of its endpoint leads to a stage any more that goes.
    private func forget(_ stage: Stage) async throws {
        let (endpoint, id) = (ResourceKey(.endpoint, stage.spec.endpointID), stage.id)
        var query = Query(.stage, project: stage.metadata.project)
        query.referring = endpoint
        for other: Stage in try await store.records(query).map({ try $0.decoded() }) {
            var left = other.spec
            left.forget(id)
            if left != other.spec { try await store.updateSpec(other.key, of: Stage.self) { $0.forget(id) } }
        }
        let formers = (try await store.resource(endpoint) as Endpoint?)?.spec.formers ?? []
        guard formers.contains(where: { $0.stageID == id }) else { return }
        try await store.updateSpec(endpoint, of: Endpoint.self) { $0.formers.removeAll { $0.stageID == id } }
    }

    // MARK: - Telling the gateway

    /// Why the gateway cannot be told; nil where it has been. It is tried three times: a stage that works must not be called
    /// failed for what is over in a moment.
    private func refusal() async throws -> String? {
        var refusal: String?
        for attempt in 0..<3 {
            if attempt > 0 { try await Task.sleep(for: .milliseconds(200)) }
            do {
                try await publisher.publish()
                return nil
            } catch {
                let reason = (error as? TakumiError)?.message ?? "\(error)".excerpt
                refusal = "the gateway could not be told of it: \(reason); deploy it again"
            }
        }
        return refusal
    }

    /// What the gateway does not hear of a stage in service is a failed deployment (E-6). Others are yet to be deployed, or go.
    private func publish(_ stage: Stage) async throws {
        guard let refusal = try await refusal() else { return }
        while var next: Stage = try await store.resource(stage.key), next.status.phase == .active {
            (next.status.phase, next.status.cause) = (.deployFailed, refusal)
            if try await store.updateStatus(next, event: refusal) != nil { return }
        }
    }

    // MARK: - Looking

    private func look(at resources: [StageResource]) async -> [String: PodSight] {
        await withTaskGroup(of: (String, PodSight).self) { group in
            for pod in resources.flatMap(\.status.pods) {
                group.addTask { (pod.id, await sight(of: pod)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func sight(of pod: StageResourceStatus.Pod) async -> PodSight {
        var sight = PodSight(observation: await engine.observe(pod.id), inFlight: traffic.inFlight(pod.id))
        if sight.hasEnded {
            let log = LogReader(path: WorkloadFolder(home: home, id: pod.id).task(0).log)
            sight.lastLine = log.lastPrinted
        } else if pod.isStaying, sight.task?.phase == .running, let port = sight.port {
            sight.isServing = await isReady(port)
        }
        return sight
    }

    // MARK: - Scaling

    private func scale(_ resource: inout StageResource, _ sights: [String: PodSight]) -> Duration? {
        guard resource.status.phase == .active else { return nil }
        let (spec, now) = (resource.spec, sources.now())
        if let minutes = spec.idleMinutes {
            let count = traffic.requests(of: spec.stageID, resource: spec.path)
            let idle = scaling.idle(
                resource.id, count: count, isAsleep: resource.status.wanted == 0, now: now)
            if idle >= Double(minutes * 60), resource.status.wanted != 0 {
                resource.status.wanted = 0
            } else if idle == 0, resource.status.wanted == 0 {
                resource.status.wanted = spec.pods
            }
            if resource.status.wanted == 0 { return .seconds(5) }
        }
        guard let rule = spec.autoscaler else { return spec.idleMinutes == nil ? nil : .seconds(5) }
        let staying = resource.status.pods.filter(\.isStaying)
        // Loading a model takes all the processors that it can get, which says nothing about requests: as in Kubernetes a
        // pod counts once it has been ready for as long as a look takes in.
        let counted = staying.filter { pod in
            pod.phase == .ready && pod.readyAt.map { now.timeIntervalSince($0) > Scaling.interval } ?? false
        }
        resource.status.wanted = scaling.wanted(
            resource, usages: counted.map { usage(of: $0, spec, rule.metric, now) },
            unready: staying.count - counted.count, rule: rule, now: now)
        return .seconds(Int(Scaling.interval))
    }

    /// Used ÷ allotted, over the time since the last look; nil where nothing is known.
    private func usage(
        of pod: StageResourceStatus.Pod, _ spec: StageResourceSpec, _ metric: PodAutoscaler.Metric, _ now: Date
    ) -> Double? {
        let samples = Sample.recent(
            path: WorkloadFolder(home: home, id: pod.id).task(0).samples,
            since: now.timeIntervalSince1970 - Scaling.interval)
        guard !samples.isEmpty else { return nil }
        switch metric {
        case .cpu: return samples.reduce(0) { $0 + $1.cpuPercent } / Double(samples.count) / 100 / spec.allotment.cpus
        case .memory: return samples.last.map { Double($0.memoryBytes) / Double(spec.allotment.memoryMiB << 20) }
        }
    }

    // MARK: - Doing

    /// - Returns: false where someone else has written meanwhile.
    private func write(_ plan: StagePlan, _ stage: Stage, _ before: [StageResource]) async throws -> Bool {
        var batch = Batch()
        if plan.stage != stage.status {
            var next = stage
            _ = try stage.status.phase.advanced(to: plan.stage.phase)
            next.status = plan.stage
            try batch.update(next, event: plan.events[nil])
        }
        var hasNewRoutes = plan.stage.phase != stage.status.phase
        for (resource, stored) in zip(plan.resources, before) where resource.status != stored.status {
            try batch.update(resource, event: plan.events[resource.id])
            hasNewRoutes = hasNewRoutes || stored.status.pods != resource.status.pods
        }
        guard !batch.isEmpty else { return true }
        guard try await store.apply(batch) else { return false }
        if hasNewRoutes { try await publish(stage) }
        wake(ResourceKey(.endpoint, stage.spec.endpointID))
        return true
    }

    /// - Returns: whether the stage is gone.
    private func perform(_ effect: StagePlan.Effect, _ stage: Stage, _ resources: [StageResource]) async throws -> Bool
    {
        switch effect {
        case .launch(let pod, let id):
            guard let resource = resources.first(where: { $0.id == id }) else { break }
            do {
                try await engine.launch(try await pods.workload(pod, resource, stage))
            } catch let error as TakumiError {
                try await fail(resource, error.message)
            }
        case .stop(let pod):
            await engine.stop(pod)
        case .remove(let pod, let id):
            // Its log is the only place where the reason of a failure stands in full.
            if resources.contains(where: { $0.id == id && $0.status.failures > 0 }) {
                FailedLog.keep(pod, of: id, home: home)
            }
            try await engine.removeEnded(pod)
        case .delete(let id):
            FailedLog.forget(id, home: home)
            try await store.delete(ResourceKey(.stageResource, id))
            try await publish(stage)
            scaling.forget(id)
        case .deleteStage:
            try await store.delete(stage.key)
            try await publish(stage)
            traffic.forget(stage.id)
            let log = stage.inferenceLog(home: home)
            try await BlockingWork.run { log.remove() }
            wake(ResourceKey(.endpoint, stage.spec.endpointID))
            return true
        }
        return false
    }

    private func fail(_ resource: StageResource, _ cause: String) async throws {
        guard var next: StageResource = try await store.resource(resource.key), next.status.phase != .createFailed
        else { return }
        if next.status.phase == .createInProgress {
            next.status.phase = .createFailed
            next.status.pods = []
        }
        next.status.cause = cause
        (next.status.failures, next.status.failedAt) = (next.status.failures + 1, sources.now())
        _ = try await store.updateStatus(next, event: cause)
        wake(ResourceKey(.stage, next.spec.stageID))
    }

    private func refuse(_ stage: Stage, _ cause: String) async throws -> Duration? {
        guard !stage.status.phase.isSettled else { return nil }
        var next = stage
        // Of one that is deployed again, what it has deployed before goes on.
        next.status.phase = stage.status.phase == .deployInProgress ? .deployFailed : .createFailed
        next.status.cause = cause
        _ = try await store.updateStatus(next, event: cause)
        return nil
    }
}

/// Hands a resource's changes to its stage, whose reconciler works on all of them at once.
struct StageResourceReconciler: Reconciler {
    let kind = ResourceKind.stageResource
    let store: Store
    let wake: @Sendable (ResourceKey) -> Void

    func reconcile(_ key: ResourceKey) async throws -> Duration? {
        guard let resource: StageResource = try await store.resource(key) else { return nil }
        wake(ResourceKey(.stage, resource.spec.stageID))
        return nil
    }
}
