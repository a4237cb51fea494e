import Console
import Foundation
import Resource
import Store
import Testing
import Web

@testable import EndpointsFeature

@Suite struct StageWireTests {
    /// SDK 2.1.5: `EndpointStage.expired_datetime`.
    @Test func saysUntilWhenAnOldStageStaysByTheNameThatTheSDKReads() async throws {
        let stored = try await StoredEndpoint()
        let wire = StageWire(
            try await stored.stage("blue"), of: try await stored.endpoint(), resources: [], flavor: nil,
            gateway: "h", expiry: stored.now)
        let json = String(decoding: try WireJSON.encode(wire), as: UTF8.self)
        #expect(json.contains(#""expiredDatetime":"1970-01-12T13:46:40Z""#))
        #expect(json.contains(#""isClusterLatest":false"#))
    }

    /// Read with one query for all of a kind: each gets its own.
    @Test func anEndpointHasItsStagesAndEachItsResources() async throws {
        let stored = try await StoredEndpoint()
        let world = StageWorld(pods: [1, 1, 1])
        for (resource, stage) in zip(world.resources, ["green", "blue", "green"]) {
            var spec = resource.spec
            (spec.endpointID, spec.stageID, spec.modelID) = ("iris", stage, "model")
            try await stored.store.insert(
                StageResource(metadata: resource.metadata, spec: spec, status: StageResourceStatus()))
        }
        let other = Endpoint(
            metadata: Metadata(
                key: ResourceKey(.endpoint, "roses"), project: "default", name: "roses", createdAt: stored.now),
            spec: EndpointSpec(path: "roses", defaultStageID: "none"), status: EndpointStatus())
        try await stored.store.insert(other)
        let type = stored.feature.endpoints.type
        let wires = try await type.wire([other, try await stored.endpoint()], project: "default")
        #expect(wires.map(\.endpointName) == ["roses", "iris"])
        #expect(wires[0].endpointStageList.isEmpty && wires[0].apigwStageUrl == nil)
        let stages = wires[1].endpointStageList
        #expect(stages.map(\.endpointStageName) == ["red", "green", "blue"], "newest first")
        #expect(stages.map { $0.endpointModelList.map(\.endpointModelId) } == [[], ["r0", "r2"], ["r1"]])
        #expect(stages[2].endpointModelList[0].stage?.stageUrl == "h:1/default/iris")
        #expect(stages[1].endpointModelList[0].model != nil)
        #expect(try await type.wire([], project: "default").isEmpty)
    }

    @Test func theExampleTrustsTheServersOwnCertificate() throws {
        let at = StageResourceWire.At(stageId: "s", deployStatus: "ACTIVE", stageUrl: "h:1/default/iris")
        let wire = StageResourceWire(StageWorld().resources[0], model: nil, stage: at)
        let snippets = ServingText.examples(
            wire, needsKey: false, home: "/srv/takumi home", sdk: "", try Strings(.english, files: ConsoleFiles()))
        #expect(snippets[0].code.hasPrefix("curl --cacert '/srv/takumi home/ca.pem' -H"))
    }
}
