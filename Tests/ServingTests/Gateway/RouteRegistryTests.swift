import NIOCore
import Testing

@testable import Gateway

struct RouteRegistryTests {
    private func table(_ backends: [Backend], rate: StageRoute.RateLimit? = nil) -> RouteTable {
        RouteTable(stages: [
            StageRoute(id: "s", prefixes: ["/k"], resources: [ResourceRoute(name: "m", backends: backends)], rate: rate)
        ])
    }

    @Test func requestsOnTheirWayStayCountedWhenTheirBackendGoes() {
        let registry = RouteRegistry()
        registry.publish(table([Backend(id: "a", port: 1)]))
        let state = registry.current.table.backends[0]
        state.enter()
        registry.publish(table([Backend(id: "b", port: 2)]))
        #expect(registry.inFlight("a") == 1)
        registry.publish(table([Backend(id: "a", port: 1)]))
        #expect(registry.current.table.backends[0] === state)
        state.leave()
        registry.publish(table([]))
        #expect(registry.inFlight("a") == 0)
        registry.publish(table([Backend(id: "a", port: 1)]))
        #expect(registry.current.table.backends[0] !== state)
    }

    @Test func aBackendOfTwoResourcesIsOne() {
        let pod = Backend(id: "a", port: 1)
        let registry = RouteRegistry()
        registry.publish(
            RouteTable(stages: [
                StageRoute(id: "s", prefixes: ["/s"], resources: [ResourceRoute(name: "m", backends: [pod])]),
                StageRoute(id: "t", prefixes: ["/t"], resources: [ResourceRoute(name: "m", backends: [pod, pod])]),
            ]))
        let table = registry.current.table
        #expect(table.backends.count == 1)
        #expect(table.stages.flatMap(\.resources).flatMap(\.backends).allSatisfy { $0.slot == 0 })
    }

    @Test func everyTableHasItsNumber() {
        let registry = RouteRegistry()
        let first = registry.number
        registry.publish(table([]))
        #expect(registry.number != first)
        #expect(registry.current.number == registry.number)
    }

    @Test func countsAndLimitsOutliveTables() {
        let registry = RouteRegistry()
        let rate = StageRoute.RateLimit(perSecond: 1, burst: 2)
        registry.publish(table([], rate: rate))
        let stage = registry.current.table.stages[0]
        stage.resources[0].use.countRequest()
        registry.publish(table([Backend(id: "a", port: 1)], rate: rate))
        #expect(registry.current.table.stages[0].bucket === stage.bucket)
        #expect(registry.requests(stage: "s", resource: "m") == 1)
        registry.publish(table([], rate: StageRoute.RateLimit(perSecond: 2, burst: 2)))
        #expect(registry.current.table.stages[0].bucket !== stage.bucket)
        registry.publish(table([]))
        #expect(registry.current.table.stages[0].bucket == nil)
        registry.forget("s")
        #expect(registry.requests(stage: "s", resource: "m") == 0)
    }

    @Test func sharesOfStagesThatAreNotThereGo() {
        let registry = RouteRegistry()
        var route = StageRoute(id: "s", prefixes: ["/s"], resources: [])
        route.canaries = [
            .init(stage: "gone", percent: 50), .init(stage: "t", percent: 20), .init(stage: "t", percent: 0),
        ]
        registry.publish(RouteTable(stages: [route, StageRoute(id: "t", prefixes: ["/t"], resources: [])]))
        let canaries = registry.current.table.stages[0].canaries
        #expect(canaries.map(\.stage) == [1] && canaries.map(\.percent) == [20])
    }

    @Test func onlyTheFirstThatWaitsIsTold() {
        let use = ResourceUse(stage: "s", resource: "m")
        #expect(use.beginWaiting())
        #expect(!use.beginWaiting())
        use.endWaiting()
        #expect(!use.beginWaiting())
        use.endWaiting()
        use.endWaiting()
        #expect(use.beginWaiting())
    }
}
