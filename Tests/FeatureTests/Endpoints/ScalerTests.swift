import Foundation
import ServingKit
import Testing

@testable import EndpointsFeature

/// The rules of SEMANTICS.md, Autoscaling.
@Suite struct PodScalerTests {
    private let start = Date(timeIntervalSince1970: 1_000_000)

    private func wanted(_ usages: [Double?], unready: Int = 0, current: Int? = nil, target: Double = 0.5) -> Int {
        PodScaler.recommended(
            current: current ?? usages.count + unready, usages: usages, unready: unready, target: target)
    }

    @Test func followsTheRatio() {
        #expect(wanted([1.0]) == 2)
        #expect(wanted([0.75, 0.75]) == 3)
        #expect(wanted([0.1, 0.1, 0.1, 0.1]) == 1)
    }

    /// Of an allotment of a thousandth, a whole machine is a very large part.
    @Test func usageBeyondAllNumbersIsAsManyPodsAsThereMayBe() {
        #expect(wanted([1e300]) == 100)
        #expect(wanted([.infinity, nil], current: 2) == 100)
    }

    @Test func doesNothingWithinTenPercent() {
        #expect(wanted([0.54, 0.54]) == 2)
        #expect(wanted([0.46, 0.46]) == 2)
        #expect(wanted([0.56, 0.56]) == 3)
    }

    @Test func whatIsNotKnownHoldsItBack() {
        // Down: the missing one counts as full.
        #expect(wanted([0.1, 0.1, nil], current: 3) == 3)
        #expect(wanted([0.1, 0.1, 0.1, 0.1, nil], current: 5) == 3)
        // Up: as idle.
        #expect(wanted([1.0, nil], current: 2) == 2)
        #expect(wanted([1.0, 1.0, nil], current: 3) == 4)
        #expect(wanted([1.0], unready: 1, current: 2) == 2)
    }

    @Test func keepsWhatThereIsWithoutAnyFigure() {
        #expect(wanted([nil, nil], current: 2) == 2)
        #expect(wanted([], current: 3) == 3)
    }

    @Test func goesUpAtOnceButNotTooFar() {
        var scaler = PodScaler(current: 1, now: start)
        #expect(scaler.wanted(current: 1, usages: [9], unready: 0, target: 0.5, range: 1...100, now: start) == 5)
        // What was added a moment ago counts.
        let soon = start.addingTimeInterval(5)
        #expect(
            scaler.wanted(
                current: 5, usages: Array(repeating: 9, count: 5), unready: 0, target: 0.5, range: 1...100, now: soon)
                == 5)
        let later = start.addingTimeInterval(15)
        #expect(
            scaler.wanted(
                current: 5, usages: Array(repeating: 9, count: 5), unready: 0, target: 0.5, range: 1...100, now: later)
                == 10)
    }

    @Test func goesDownByTheHighestOfFiveMinutes() {
        var scaler = PodScaler(current: 4, now: start)
        func at(_ seconds: Double, _ usage: Double, _ current: Int) -> Int {
            scaler.wanted(
                current: current, usages: Array(repeating: usage, count: current), unready: 0, target: 0.5,
                range: 1...10, now: start.addingTimeInterval(seconds))
        }
        #expect(at(15, 0.1, 4) == 4, "four were wanted a moment ago")
        #expect(at(200, 0.3, 4) == 4)
        // Now the first four is more than five minutes old; three is the highest since.
        #expect(at(310, 0.1, 4) == 3)
        #expect(at(520, 0.1, 3) == 1)
    }

    @Test func staysInItsRange() {
        var scaler = PodScaler(current: 2, now: start)
        #expect(scaler.wanted(current: 2, usages: [9, 9], unready: 0, target: 0.5, range: 1...3, now: start) == 3)
    }
}

@Suite struct NodeScalerTests {
    private let start = Date(timeIntervalSince1970: 1_000_000)
    private let room = Allotment(cpus: 2, memoryMiB: 4096)
    private let pod = Allotment(cpus: 1, memoryMiB: 1024)

    private func scaler(_ minutes: Double, min: Int = 1, max: Int = 3, down: Bool = true) -> NodeScaler {
        NodeScaler(
            rule: NodeAutoscaler(
                minNodes: min, maxNodes: max, scalesDown: down, threshold: 50, unneededMinutes: 10,
                delayAfterAddMinutes: 10), room: room, now: start.addingTimeInterval(minutes * 60))
    }

    private func node(_ number: Int, unneeded minutes: Double? = nil, added: Double = 0) -> StageStatus.Node {
        .init(
            number: number, addedAt: start.addingTimeInterval(added * 60),
            unneededSince: minutes.map { start.addingTimeInterval($0 * 60) })
    }

    private func pods(_ nodes: Int...) -> [NodeScaler.Pod] { nodes.map { .init(node: $0, allotment: pod) } }

    @Test func comesForPodsWithoutRoom() {
        let nodes = scaler(0).scaled([node(1)], pods: pods(1, 1), missing: [pod, pod, pod])
        #expect(nodes.map(\.number) == [1, 2, 3])
        #expect(scaler(0).scaled([node(1)], pods: pods(1), missing: [pod]).count == 1, "it fits")
        #expect(
            scaler(0, max: 1).scaled([node(1)], pods: pods(1, 1), missing: [pod]).count == 1, "the most there can be")
    }

    @Test func goesWhenUnneededForLongEnough() {
        var nodes = scaler(20).scaled([node(1), node(2)], pods: pods(1), missing: [])
        #expect(nodes[1].unneededSince == start.addingTimeInterval(20 * 60))
        #expect(!nodes[1].isLeaving)
        nodes = scaler(29).scaled(nodes, pods: pods(1), missing: [])
        #expect(nodes.count { $0.isLeaving } == 0)
        nodes = scaler(30).scaled(nodes, pods: pods(1), missing: [])
        #expect(nodes[1].isLeaving)
        nodes = scaler(31).scaled(nodes, pods: pods(1), missing: [])
        #expect(nodes.map(\.number) == [1])
    }

    @Test func staysWhileItsPodsFitNowhereElse() {
        let nodes = scaler(60).scaled(
            [node(1), node(2, unneeded: 0)], pods: pods(1, 1, 2), missing: [])
        #expect(nodes[1].unneededSince == nil)
        #expect(nodes.count == 2)
    }

    @Test func staysAfterAnotherHasJustCome() {
        let nodes = scaler(30).scaled(
            [node(1), node(2, unneeded: 0), node(3, added: 25)], pods: pods(1, 3, 3), missing: [])
        #expect(nodes.count { $0.isLeaving } == 0)
    }

    @Test func staysWhereItMustNotShrink() {
        #expect(scaler(60, min: 2).scaled([node(1), node(2, unneeded: 0)], pods: [], missing: []).count == 2)
        let kept = scaler(60, down: false).scaled([node(1), node(2, unneeded: 0)], pods: [], missing: [])
        #expect(kept.count { $0.isLeaving } == 0)
    }

    @Test func isTakenBackWhenItIsNeededAgain() {
        var leaving = node(2, unneeded: 0)
        leaving.isLeaving = true
        let full = scaler(20, max: 2).scaled([node(1), leaving], pods: pods(1, 1, 2), missing: [pod])
        #expect(full.map(\.isLeaving) == [false, false] && full[1].unneededSince == nil)
        // The room that its pod was to have is taken meanwhile.
        let displaced = scaler(20).scaled([node(1), leaving], pods: pods(1, 1, 2), missing: [], displaced: [pod])
        #expect(displaced.map(\.isLeaving) == [false, false], "and no third one comes")
        let moving = scaler(20).scaled([node(1), leaving], pods: pods(1, 2), missing: [], displaced: [pod])
        #expect(moving.map(\.isLeaving) == [false, true])
    }

    private let oneOrTwo = NodeAutoscaler(
        minNodes: 1, maxNodes: 2, scalesDown: true, threshold: 60, unneededMinutes: 1, delayAfterAddMinutes: 1)

    @Test func aPodThatFindsNoOtherPlaceStaysReady() {
        var world = StageWorld(nodes: 2, autoscaler: oneOrTwo, pods: [1, 2], cpus: 1)
        world.settle()
        world.stage.status.nodes[1].isLeaving = true
        for _ in 0..<3 { world.turn(after: 20) }
        #expect(world.stage.status.nodes.map(\.isLeaving) == [false, false])
        #expect(world.resources.allSatisfy { $0.status.cause == nil })
        #expect(world.launched.count == 3)
    }

    @Test func movesPodsBeforeItGoes() {
        var world = StageWorld(nodes: 2, autoscaler: oneOrTwo, pods: [1, 1], cpus: 1)
        world.settle()
        // One on each: as after a third between them has gone.
        world.resources[1].status.pods[0].node = 2
        for _ in 0..<12 {
            world.turn(after: 20)
            for pod in world.pods where pod.phase == .starting { world.run(pod.id) }
            for pod in world.pods where pod.phase == .stopping { world.end(pod.id, .stopped) }
        }
        #expect(world.stage.status.nodes.count == 1)
        #expect(world.pods.count == 2)
        #expect(world.pods.allSatisfy { $0.phase == .ready && $0.node == world.stage.status.nodes[0].number })
        #expect(world.launched.count == 3)
    }
}
