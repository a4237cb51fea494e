import Catalog
import FeatureKit
import Foundation
import Gateway
import Resource
import ServingKit
import Store
import Support
import Synchronization

@testable import EndpointsFeature

/// An endpoint in a store of its own, with the reconcilers that work on it; time passes by hand.
final class StoredEndpoint: Sendable {
    /// Keeps the last table.
    final class Table: Traffic {
        private let last = Mutex<RouteTable?>(nil)
        var current: RouteTable? { last.withLock { $0 } }

        func publish(_ table: RouteTable) { last.withLock { $0 = table } }
        func inFlight(_ backend: String) -> Int { 0 }
        func requests(of stage: String, resource: String) -> Int { 0 }
        func statistics(of stage: String) -> StageStatistics { StageStatistics() }
        func forget(_ stage: String) {}
    }

    let store: Store
    let table = Table()
    let engine = FakeEngine()
    let catalog: Catalog
    let folder: TemporaryFolder
    private let time = Mutex(Date(timeIntervalSince1970: 1_000_000))

    /// - Parameter stages: the first is the default.
    init(stages: [String] = ["blue", "green", "red"]) async throws {
        store = try Store(path: nil)
        catalog = try Catalog()
        folder = try TemporaryFolder()
        try await store.insert(
            Endpoint(
                metadata: metadata(.endpoint, "iris"), spec: EndpointSpec(path: "iris", defaultStageID: stages[0]),
                status: EndpointStatus()))
        try await store.insert(
            Thing(metadata: metadata(.model, "model"), spec: ThingSpec(color: "red"), status: ThingStatus()))
        for name in stages {
            var status = StageStatus()
            status.phase = .active
            try await store.insert(
                Stage(
                    metadata: metadata(.stage, name),
                    spec: StageSpec(
                        endpointID: "iris", path: name, flavorID: catalog.flavors[0].id, nodeCount: 1, usesLog: false),
                    status: status))
        }
    }

    private func metadata(_ kind: ResourceKind, _ name: String) -> Metadata {
        Metadata(key: ResourceKey(kind, name), project: "default", name: name, createdAt: now)
    }

    var now: Date { time.withLock { $0 } }
    func pass(minutes: Double) { time.withLock { $0 += minutes * 60 } }
    private var sources: ClockAndIDs { ClockAndIDs(now: { [self] in now }) }

    /// Every model is the same one, of the id "model".
    var feature: EndpointsFeature {
        let model = ServedModel(id: "model", name: "iris", format: .sklearn, artifact: "obs://x", parameters: [])
        return EndpointsFeature(
            store: store, engine: engine, catalog: catalog, traffic: table, sources: sources,
            surroundings: .init(
                home: folder.path, program: "/takumi", platform: PlatformVersion(since: now), region: "kr1",
                apiURL: { "https://h" }, gatewayAddress: { "h:1" }, isReady: { _ in true }, wake: { _ in },
                served: { _ in (model, Array("{}".utf8), true) }))
    }

    var publisher: RoutePublisher { RoutePublisher(store: store, traffic: table, home: folder.path) }
    var actions: EndpointActions { EndpointActions(store: store, publisher: publisher, sources: sources) }

    func endpoint() async throws -> Endpoint {
        guard let endpoint: Endpoint = try await store.resource(ResourceKey(.endpoint, "iris")) else {
            throw Store.missing(ResourceKey(.endpoint, "iris"))
        }
        return endpoint
    }

    func stage(_ name: String) async throws -> Stage {
        guard let stage: Stage = try await store.resource(ResourceKey(.stage, name)) else {
            throw Store.missing(ResourceKey(.stage, name))
        }
        return stage
    }

    func change(_ name: String, _ change: @escaping @Sendable (inout StageSpec) -> Void) async throws {
        try await store.updateSpec(ResourceKey(.stage, name), of: Stage.self, change)
    }

    func makeDefault(_ stage: String, keep minutes: Int = 0) async throws {
        let body = try JSONDecoder().decode(
            EndpointActions.Switch.self,
            from: Data(#"{"endpointStageId": "\#(stage)", "keepMinutes": \#(minutes)}"#.utf8))
        _ = try await actions.makeDefault(try await endpoint(), body)
    }

    /// One turn of a stage's reconciler, and the endpoint's after it.
    func reconcile(stage: String) async throws {
        for reconciler in feature.reconcilers where reconciler.kind == .stage {
            _ = try await reconciler.reconcile(ResourceKey(.stage, stage))
        }
        try await reconcile()
    }

    /// Until the endpoint's reconciler has nothing to do at once.
    /// - Returns: when it looks again.
    @discardableResult
    func reconcile() async throws -> Duration? {
        let reconciler = EndpointReconciler(store: store, publisher: publisher, sources: sources)
        var again: Duration?
        repeat { again = try await reconciler.reconcile(ResourceKey(.endpoint, "iris")) } while again == .zero
        return again
    }
}
