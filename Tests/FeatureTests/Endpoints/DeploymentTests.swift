import FeatureKit
import Foundation
import Gateway
import Resource
import Store
import Support
import Testing

@testable import EndpointsFeature

/// What the gateway is told of stages, and what becomes of them where it cannot be told (E-5, E-6).
@Suite struct DeploymentTests {
    /// A record that no table can be made of.
    private let broken = Thing(
        metadata: Metadata(
            key: ResourceKey(.stageResource, "broken"), project: "other", name: "broken", createdAt: Date()),
        spec: ThingSpec(color: "red"), status: ThingStatus())

    @Test func aStageThatCannotBeDeployedSaysWhyAndIsDeployedAgain() async throws {
        let stored = try await StoredEndpoint()
        try await stored.store.insert(broken)
        #expect(try await stored.actions.deploy(try await stored.stage("blue")).status.phase == .deployInProgress)
        try await stored.reconcile(stage: "blue")
        let failed = try await stored.stage("blue").status
        #expect(failed.phase == .deployFailed)
        #expect(failed.cause?.hasPrefix("the gateway could not be told of it: ") == true)
        #expect(try await stored.endpoint().status.gateway == .stageDeployFail)
        // Nothing but a hand changes that.
        try await stored.store.delete(broken.key)
        try await stored.reconcile(stage: "blue")
        #expect(try await stored.stage("blue").status == failed)

        _ = try await stored.actions.deploy(try await stored.stage("blue"))
        try await stored.reconcile()
        #expect(try await stored.endpoint().status.gateway == .stageDeploying)
        try await stored.reconcile(stage: "blue")
        #expect(try await stored.stage("blue").status.phase == .active)
        #expect(try await stored.stage("blue").status.cause == nil)
        #expect(try await stored.endpoint().status.gateway == .active)
        #expect(stored.table.current?.stages.count == 3)
    }

    @Test func aStageInServiceWhoseRoutesAreNotHeardOfFails() async throws {
        let stored = try await StoredEndpoint()
        var resource = StageWorld().resources[0]
        resource = StageResource(
            metadata: resource.metadata,
            spec: StageResourceSpec(
                endpointID: "iris", stageID: "blue", modelID: "model", path: "iris",
                allotment: resource.spec.allotment, pods: 1), status: resource.status)
        resource.status.phase = .deleteInProgress
        try await stored.store.insert(resource)
        try await stored.store.insert(broken)
        try await stored.reconcile(stage: "blue")
        #expect(try await stored.stage("blue").status.phase == .deployFailed)
        #expect(try await stored.store.record(resource.key) == nil, "the turn was done to its end")
    }

    @Test func whatIsNotInServiceIsNotDeployedAgain() async throws {
        let stored = try await StoredEndpoint()
        _ = try await stored.store.move(try await stored.stage("blue"), to: .deleteInProgress, event: "goes")
        await #expect(throws: TakumiError.self) { try await stored.actions.deploy(try await stored.stage("blue")) }
    }

    @Test func aStageThatCouldNotBeCreatedIsDeployedOnceTheFailedResourceIsGone() {
        var world = StageWorld(pods: [1, 1])
        world.turn()
        world.end(world.pods[0].id, .failed, exit: 1, line: "no model here")
        world.settle()
        #expect(world.stage.status.phase == .createFailed)
        world.resources.removeFirst()
        let plan = world.turn(after: 1)
        #expect(plan.stage.phase == .deployInProgress && StagePhase.createFailed.next.contains(.deployInProgress))
        world.turn(after: 1)
        #expect(world.stage.status.phase == .active)
    }

    // MARK: - Stages that go

    @Test func nothingLeadsToAStageThatHasGone() async throws {
        let stored = try await StoredEndpoint()
        let green = StageSpec.Share(stageID: "green", percent: 10)
        try await stored.change("blue") { ($0.canary, $0.shadow) = (green, green) }
        try await stored.change("red") { $0.shadow = green }
        _ = try await stored.store.move(try await stored.stage("green"), to: .deleteInProgress, event: "goes")
        try await stored.reconcile(stage: "green")
        #expect(try await stored.store.record(ResourceKey(.stage, "green")) == nil)
        for stage in ["blue", "red"] {
            let spec = try await stored.stage(stage).spec
            #expect(spec.canary == nil && spec.shadow == nil)
        }
        #expect(stored.table.current?.stages.allSatisfy { $0.canaries.isEmpty && $0.shadows.isEmpty } == true)
    }

    @Test func aFormerDefaultThatHasGoneIsForgotten() async throws {
        let stored = try await StoredEndpoint()
        try await stored.makeDefault("green", keep: 60)
        try await stored.makeDefault("red", keep: 60)
        _ = try await stored.store.move(try await stored.stage("green"), to: .deleteInProgress, event: "goes")
        try await stored.reconcile(stage: "green")
        #expect(try await stored.endpoint().spec.formers.map(\.stageID) == ["blue"])
        #expect(try await stored.actions.goBack(try await stored.endpoint()).spec.defaultStageID == "blue")
    }
}
