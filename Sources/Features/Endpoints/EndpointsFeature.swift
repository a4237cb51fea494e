import Catalog
import Console
import Control
import Engine
import FeatureKit
import Foundation
import Gateway
import Hummingbird
import Resource
import ServiceLifecycle
import ServingKit
import Store
import Web

/// Endpoints, their stages and what these serve.
package struct EndpointsFeature: Feature {
    /// What `App` hands in.
    package struct Surroundings: Sendable {
        package var home: String
        /// This program, which is also the model server.
        package var program: String
        package var platform: PlatformVersion
        package var region: String
        package var apiURL: @Sendable () -> String
        /// `host:port` of the gateway.
        package var gatewayAddress: @Sendable () -> String
        package var isReady: @Sendable (_ port: Int) async -> Bool
        package var wake: @Sendable (ResourceKey) -> Void
        package var served: @Sendable (Record) throws -> (model: ServedModel, wire: [UInt8], isActive: Bool)

        package init(
            home: String, program: String, platform: PlatformVersion, region: String,
            apiURL: @escaping @Sendable () -> String,
            gatewayAddress: @escaping @Sendable () -> String, isReady: @escaping @Sendable (Int) async -> Bool,
            wake: @escaping @Sendable (ResourceKey) -> Void,
            served: @escaping @Sendable (Record) throws -> (model: ServedModel, wire: [UInt8], isActive: Bool)
        ) {
            self.home = home
            self.program = program
            self.platform = platform
            self.region = region
            self.apiURL = apiURL
            self.gatewayAddress = gatewayAddress
            self.isReady = isReady
            self.wake = wake
            self.served = served
        }
    }

    let store: Store
    let traffic: any Traffic
    let sources: ClockAndIDs
    let surroundings: Surroundings
    let endpoints: ResourceRoutes<EndpointType>
    let stages: ResourceRoutes<StageType>
    let resources: ResourceRoutes<StageResourceType>
    let actions: EndpointActions
    let publisher: RoutePublisher
    private let stageReconciler: StageReconciler

    package init(
        store: Store, engine: any Engine, catalog: Catalog, traffic: any Traffic, sources: ClockAndIDs,
        surroundings: Surroundings
    ) {
        self.store = store
        self.traffic = traffic
        self.sources = sources
        self.surroundings = surroundings
        let (home, served) = (surroundings.home, surroundings.served)
        publisher = RoutePublisher(store: store, traffic: traffic, home: home)
        actions = EndpointActions(store: store, publisher: publisher, sources: sources)
        stageReconciler = StageReconciler(
            store: store, engine: engine, catalog: catalog, traffic: traffic, publisher: publisher,
            pods: PodMaker(
                store: store, catalog: catalog, home: home, program: surroundings.program,
                region: surroundings.region, apiURL: surroundings.apiURL, served: { try served($0).model }),
            sources: sources, home: home, isReady: surroundings.isReady, wake: surroundings.wake)
        let checks = StageChecks(store: store, catalog: catalog, engine: engine, served: served)
        let resourceType = StageResourceType(
            store: store, checks: checks, gatewayAddress: surroundings.gatewayAddress)
        let stageType = StageType(
            store: store, checks: checks, resources: resourceType, sources: sources,
            platform: surroundings.platform, region: surroundings.region, home: home,
            gatewayAddress: surroundings.gatewayAddress, wake: surroundings.wake)
        endpoints = ResourceRoutes(
            EndpointType(store: store, checks: checks, stages: stageType, sources: sources), store: store,
            sources: sources)
        stages = ResourceRoutes(stageType, store: store, sources: sources)
        resources = ResourceRoutes(resourceType, store: store, sources: sources)
    }

    /// Where a model is served: `endpoint 'iris' (stage default)`.
    package static func places(of model: ResourceKey, in store: Store) async throws -> [String] {
        var query = Query(.stageResource, project: nil)
        query.referring = model
        var places: [String] = []
        for resource: StageResource in try await store.records(query).map({ try $0.decoded() }) {
            let endpoint = try await store.record(ResourceKey(.endpoint, resource.spec.endpointID))
            let stage = try await store.record(ResourceKey(.stage, resource.spec.stageID))
            places.append("endpoint '\(endpoint?.metadata.name ?? "")' (stage \(stage?.metadata.name ?? ""))")
        }
        return places
    }

    package var reconcilers: [any Reconciler] {
        [
            EndpointReconciler(store: store, publisher: publisher, sources: sources), stageReconciler,
            StageResourceReconciler(store: store, wake: surroundings.wake),
        ]
    }

    package var services: [any Service] { [Resumption(feature: self)] }

    /// After a start the gateway knows nothing: pods that outlived the last server get their requests again, and every
    /// stage is looked at, since an active one has pods to be watched.
    private struct Resumption: Service {
        let feature: EndpointsFeature

        func run() async throws {
            let logs = "\(feature.surroundings.home)/logs/inference"
            try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
            try await feature.publisher.publish()
            for record in try await feature.store.records(Query(.stage, project: nil)) {
                feature.surroundings.wake(record.key)
            }
            try? await gracefulShutdown()
        }
    }
}
