import FeatureKit
import Foundation
import Gateway
import Resource
import Store

/// Makes the gateway's table from what is stored: of every project, each time whole.
struct RoutePublisher: Sendable {
    let store: Store
    let traffic: any Traffic
    let home: String
    /// Of one table at a time, so that an older one never replaces a newer.
    private let turn = Turn()

    init(store: Store, traffic: any Traffic, home: String) {
        (self.store, self.traffic, self.home) = (store, traffic, home)
    }

    private actor Turn {
        private var isBusy = false
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func take() async {
            guard isBusy else { return isBusy = true }
            await withCheckedContinuation { waiting.append($0) }
        }

        func giveBack() {
            if waiting.isEmpty { isBusy = false } else { waiting.removeFirst().resume() }
        }
    }

    func publish() async throws {
        await turn.take()
        do {
            traffic.publish(try await table())
            await turn.giveBack()
        } catch {
            await turn.giveBack()
            throw error
        }
    }

    private func table() async throws -> RouteTable {
        let endpoints: [Endpoint] = try await store.records(Query(.endpoint, project: nil)).map { try $0.decoded() }
        let stages: [Stage] = try await store.records(Query(.stage, project: nil)).map { try $0.decoded() }
        let resources: [StageResource] = try await store.records(Query(.stageResource, project: nil)).map {
            try $0.decoded()
        }
        return RouteTable(endpoints: endpoints, stages: stages, resources: resources, home: home)
    }
}

extension RouteTable {
    /// Pure: what is stored → what the gateway does.
    init(endpoints: [Endpoint], stages: [Stage], resources: [StageResource], home: String) {
        let byStage = Dictionary(grouping: resources, by: \.spec.stageID)
        let byEndpoint = Dictionary(grouping: stages, by: \.spec.endpointID)
        self.init(
            stages: endpoints.flatMap { endpoint in
                (byEndpoint[endpoint.id] ?? []).map { stage in
                    StageRoute(endpoint, stage, byStage[stage.id] ?? [], home: home)
                }
            })
    }
}

extension StageRoute {
    fileprivate init(_ endpoint: Endpoint, _ stage: Stage, _ resources: [StageResource], home: String) {
        let project = stage.metadata.project
        var prefixes = [endpoint.address(of: stage)]
        if endpoint.spec.defaultStageID == stage.id { prefixes.append(endpoint.address) }
        self.init(
            id: stage.id, prefixes: prefixes,
            resources: Dictionary(grouping: resources, by: \.spec.path).sorted { $0.key < $1.key }.map { path, same in
                ResourceRoute(
                    name: path, backends: same.flatMap(\.backends),
                    hold: same.contains { $0.spec.idleMinutes != nil } ? 120 : 0)
            },
            canaries: stage.spec.canary.map { [.init(stage: $0.stageID, percent: $0.percent)] } ?? [],
            shadows: stage.spec.shadow.map { [.init(stage: $0.stageID, percent: $0.percent)] } ?? [],
            keys: stage.spec.keys,
            rate: stage.spec.ratePerSecond.map { .init(perSecond: $0, burst: max(1, $0)) },
            log: stage.spec.usesLog
                ? InferenceLogFields(
                    appKey: project, endpointID: endpoint.id, stageID: stage.id,
                    file: stage.inferenceLog(home: home).path) : nil)
    }
}

extension StageResource {
    /// The pods that are asked. One whose worker is being started again is asked only where there is no other: its model
    /// server keeps requests until the worker is back.
    fileprivate var backends: [Backend] {
        let asked = status.pods.contains { $0.phase == .ready } ? [StageResourceStatus.Pod.Phase.ready] : [.unhealthy]
        return status.pods.compactMap { pod in
            guard asked.contains(pod.phase), let port = pod.port else { return nil }
            return Backend(id: pod.id, port: port)
        }
    }
}

extension Endpoint {
    /// Where its default stage answers, decoded.
    var address: String { "/\(metadata.project)/\(spec.path)" }
    /// Where a stage always answers.
    func address(of stage: Stage) -> String { "\(address)/stages/\(stage.spec.path)" }
    /// What users call the address of a stage: the default one's does not change with the default.
    func shownAddress(of stage: Stage) -> String { spec.defaultStageID == stage.id ? address : address(of: stage) }
}

extension Stage {
    func inferenceLog(home: String) -> InferenceLog { InferenceLog(path: "\(home)/logs/inference/\(id).jsonl") }
}
