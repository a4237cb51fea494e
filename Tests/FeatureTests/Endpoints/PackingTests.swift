import Foundation
import Resource
import ServingKit
import Testing

@testable import EndpointsFeature

/// The room check of a request and the placing of pods agree (E-3, 12.9).
@Suite struct PackingTests {
    /// What a t2.c1m1 really offers.
    private let room = Allotment(cpus: 0.9, memoryMiB: 896)

    private func pods(_ percents: Int...) -> [Allotment] {
        percents.map { Allotment(cpus: 0.9 * Double($0) / 100, memoryMiB: 896 * $0 / 100) }
    }

    private func world(nodes: Int, _ resources: (percent: Int, pods: Int)...) -> StageWorld {
        var world = StageWorld(nodes: nodes, pods: resources.map(\.pods))
        world.room = room
        for (index, resource) in resources.enumerated() {
            world.resources[index].spec.allotment = pods(resource.percent)[0]
        }
        return world
    }

    @Test func findsRoomForTheLargestFirst() {
        #expect(StageChecks.fit(pods(25, 70, 25, 70), [], 2, room))
        #expect(!StageChecks.fit(pods(25, 70, 25, 70), [], 1, room))
    }

    @Test func whatTheCheckLetsPassIsPlaced() {
        #expect(StageChecks.fit(pods(40, 40, 60, 60), [], 2, room))
        var world = world(nodes: 2, (40, 2), (60, 2))
        world.settle()
        #expect(world.stage.status.phase == .active)
        #expect(world.pods.count == 4)
    }

    /// Any mixture: it is refused, or all of it is placed.
    @Test func noStageThatPassesHangs() {
        var random = Numbers(state: 7)
        var passed = 0
        for _ in 0..<300 {
            let resources = (0..<3).map { _ in
                (percent: Int.random(in: 10...90, using: &random), pods: Int.random(in: 1...3, using: &random))
            }
            let all = resources.flatMap { Array(repeating: pods($0.percent)[0], count: $0.pods) }
            guard StageChecks.fit(all, [], 3, room) else { continue }
            passed += 1
            var world = world(nodes: 3, resources[0], resources[1], resources[2])
            world.turn()
            #expect(world.pods.count == all.count, "\(resources)")
        }
        #expect(passed > 30)
    }

    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 32)
        }
    }

    @Test func podsThatRunStayWhereTheyAre() {
        var world = world(nodes: 2, (40, 1), (40, 1))
        world.settle()
        #expect(StageChecks.fit(pods(80), world.resources, 2, room))
        // As after a third between them has gone.
        world.resources[1].status.pods[0].node = 2
        #expect(!StageChecks.fit(pods(80), world.resources, 2, room))
        #expect(StageChecks.fit(pods(60, 60), world.resources, 2, room))
    }

    @Test func whatIsWantedAtLeastComesBeforeWhatAnAutoscalerWants() {
        var world = world(nodes: 1, (50, 1), (50, 1))
        world.turn()
        world.resources[0].status.wanted = 2
        for index in world.resources.indices { world.resources[index].status.pods = [] }
        world.turn(after: 1)
        #expect(world.resources.map(\.status.pods.count) == [1, 1])
        #expect(world.resources[0].status.cause?.hasPrefix("waits for room") == true)
    }

    @Test func aCauseGoesWithTheLackOfRoom() {
        var world = world(nodes: 1, (40, 1), (40, 1))
        world.settle()
        world.resources[0].status.wanted = 2
        world.turn(after: 1)
        #expect(world.resources[0].status.cause?.hasPrefix("waits for room") == true)
        world.resources.removeLast()
        world.settle()
        #expect(world.resources[0].status.readyPods == 2)
        #expect(world.resources[0].status.cause == nil)
    }
}
