import Foundation
import Gateway
import Resource
import ServingKit
import Testing

@testable import EndpointsFeature

@Suite struct EndpointRouteTests {
    private func endpoint(default stage: String) -> Endpoint {
        Endpoint(
            metadata: Metadata(
                key: ResourceKey(.endpoint, "e"), project: "default", name: "renamed",
                createdAt: Date(timeIntervalSince1970: 0)),
            spec: EndpointSpec(path: "iris", defaultStageID: stage), status: EndpointStatus())
    }

    private func table(_ world: StageWorld, default stage: String = "s") -> RouteTable {
        RouteTable(endpoints: [endpoint(default: stage)], stages: [world.stage], resources: world.resources, home: "/h")
    }

    @Test func theDefaultStageHasTwoAddresses() {
        var world = StageWorld()
        world.settle()
        #expect(table(world).stages[0].prefixes == ["/default/iris/stages/blue", "/default/iris"])
        #expect(table(world, default: "other").stages[0].prefixes == ["/default/iris/stages/blue"])
    }

    @Test func onlyPodsThatAnswerAreAsked() {
        var world = StageWorld(pods: [2])
        world.turn()
        #expect(table(world).stages[0].resources[0].backends.isEmpty)
        world.settle()
        #expect(table(world).stages[0].resources[0].backends.count == 2)
        world.resources[0].status.pods[0].phase = .draining
        #expect(table(world).stages[0].resources[0].backends.map(\.id) == ["p2"])
        // Its model server keeps requests until the worker is back.
        world.resources[0].status.pods[1].phase = .unhealthy
        #expect(table(world).stages[0].resources[0].backends.map(\.id) == ["p2"])
    }

    @Test func oneModelInSeveralResourcesSharesItsRequests() {
        var world = StageWorld(pods: [1, 1])
        world.resources[1].spec.path = "iris0"
        world.settle()
        #expect(table(world).stages[0].resources.map(\.name) == ["iris0"])
        #expect(table(world).stages[0].resources[0].backends.map(\.id) == ["p1", "p2"])
    }
}

@Suite struct AllotmentTests {
    private let room = Allotment(cpus: 1.9, memoryMiB: 3968)

    @Test(arguments: [("1.0", 1.0), ("500m", 0.5), ("50%", 0.95), ("2", 2)])
    func readsProcessors(_ text: String, _ cpus: Double) {
        #expect(Allotment.cpus(text, of: room) == cpus)
    }

    @Test(arguments: [("2048Mi", 2048), ("2Gi", 2048), ("1G", 953), ("25%", 992), ("104857600", 100)])
    func readsMemory(_ text: String, _ memory: Int) {
        #expect(Allotment.memoryMiB(text, of: room) == memory)
    }

    @Test(arguments: ["", "x", "1 Gb", "Mi"])
    func refusesWhatIsNone(_ text: String) {
        #expect(Allotment.memoryMiB(text, of: room) == nil)
        #expect(Allotment.cpus(text, of: room) == nil)
    }
}
