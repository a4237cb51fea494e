import Engine
import Foundation
import Resource
import ServingKit
import Testing

@testable import EndpointsFeature

@Suite struct StagePlanTests {
    @Test func becomesActiveStepByStep() {
        var world = StageWorld(pods: [2])
        world.turn()
        #expect(world.stage.status.phase == .createInProgress)
        #expect(world.launched.count == 2)
        world.turn(after: 1)
        #expect(world.resources[0].status.phase == .createInProgress)
        for pod in world.pods { world.run(pod.id) }
        world.turn(after: 1)
        // Ready, but the gateway hears of it only now: nobody is told ACTIVE before it knows.
        #expect(world.resources[0].status.readyPods == 2)
        #expect(world.resources[0].status.phase == .createInProgress)
        world.turn(after: 1)
        #expect(world.resources[0].status.phase == .active)
        #expect(world.stage.status.phase == .deployInProgress)
        world.turn()
        #expect(world.stage.status.phase == .active)
        #expect(world.launched.count == 2)
    }

    @Test func isNotActiveBeforeAllPodsAnswer() {
        var world = StageWorld(pods: [2])
        world.turn()
        world.run(world.pods[0].id)
        for _ in 0..<3 { world.turn(after: 1) }
        #expect(world.resources[0].status.phase == .createInProgress)
        #expect(world.resources[0].status.cause == "the model is being loaded")
    }

    @Test func saysWhyAPodWaits() {
        var world = StageWorld()
        world.turn()
        world.sights[world.pods[0].id]?.observation?.waiting = "waiting for 1.0 GiB of memory: 'iris' holds it"
        world.turn(after: 1)
        #expect(world.stage.status.cause == "waiting for 1.0 GiB of memory: 'iris' holds it")
    }

    @Test func aModelThatCrashesOnLoadFailsWithItsLastLine() {
        var world = StageWorld()
        world.turn()
        world.end(
            world.pods[0].id, .failed, exit: 1, cause: "ended with exit code 1", line: "ValueError : no model here")
        world.turn(after: 1)
        world.turn(after: 1)
        #expect(world.resources[0].status.phase == .createFailed)
        #expect(world.resources[0].status.cause == "ValueError : no model here")
        #expect(world.stage.status.phase == .createFailed)
        #expect(world.stage.status.cause == "iris0: ValueError : no model here")
        for _ in 0..<5 { world.turn(after: 60) }
        #expect(world.launched.count == 1, "a failed one is not tried for ever")
    }

    @Test func aMissingArtifactFailsAtOnce() {
        var world = StageWorld()
        world.turn()
        world.end(world.pods[0].id, .failedToPrepare, cause: "obs://h/v1/AUTH_t/models/iris is not there")
        world.turn(after: 1)
        #expect(world.resources[0].status.phase == .createFailed)
        #expect(world.resources[0].status.cause == "obs://h/v1/AUTH_t/models/iris is not there")
    }

    @Test func aLostAgentIsTriedAgain() {
        var world = StageWorld()
        world.turn()
        world.end(world.pods[0].id, .lost, cause: "its agent vanished")
        world.turn(after: 1)
        #expect(world.resources[0].status.phase == .createInProgress)
        world.turn(after: 2)
        #expect(world.launched.count == 2)
        world.settle()
        #expect(world.stage.status.phase == .active)
    }

    @Test func anActivePodThatEndsIsReplacedLaterAndLater() {
        var world = StageWorld()
        world.settle()
        #expect(world.stage.status.phase == .active)
        world.end(world.pods[0].id, .failed, exit: -9, cause: "killed by signal 9 (Killed)")
        world.turn()
        #expect(world.resources[0].status.phase == .active)
        #expect(world.stage.status.cause == "no pod of iris0 is ready: killed by signal 9 (Killed)")
        #expect(world.launched.count == 1)
        world.turn(after: 1.1)
        #expect(world.launched.count == 2)
        world.end(world.pods[0].id, .failed, exit: -9)
        world.turn()
        world.turn(after: 1.1)
        #expect(world.launched.count == 2, "the second wait is longer")
        world.turn(after: 1)
        #expect(world.launched.count == 3)
        world.settle()
        #expect(world.resources[0].status.failures == 0)
        #expect(world.resources[0].status.cause == nil)
    }

    @Test func aPodWhoseWorkerIsGoneIsUnhealthyAndComesBack() {
        var world = StageWorld()
        world.settle()
        world.run(world.pods[0].id, serving: false)
        world.turn(after: 1)
        #expect(world.pods[0].phase == .unhealthy)
        world.run(world.pods[0].id)
        world.turn(after: 1)
        #expect(world.pods[0].phase == .ready)
        #expect(world.launched.count == 1)
    }

    @Test func deletingAStageLetsRequestsEndFirst() {
        var world = StageWorld()
        world.settle()
        let pod = world.pods[0].id
        world.sights[pod]?.inFlight = 1
        world.stage.status.phase = .deleteInProgress
        for _ in 0..<3 { world.turn(after: 5) }
        #expect(world.stopped.isEmpty, "a request is on its way")
        world.sights[pod]?.inFlight = 0
        world.turn(after: 1)
        #expect(world.stopped == [pod])
        #expect(!world.isGone)
        world.end(pod, .stopped)
        world.turn(after: 1)
        world.turn(after: 1)
        #expect(world.removed == [pod])
        #expect(world.deleted == ["r0"])
        #expect(world.isGone)
    }

    @Test func aRequestThatNeverEndsDoesNotHoldWhatIsDeleted() {
        var world = StageWorld()
        world.settle()
        world.sights[world.pods[0].id]?.inFlight = 1
        world.resources[0].status.phase = .deleteInProgress
        world.turn(after: 1)
        world.turn(after: StagePlan.deletionLimit - 1)
        #expect(world.stopped.isEmpty)
        world.turn(after: 2)
        #expect(world.stopped.count == 1)
    }

    @Test(arguments: [true, false])
    func aLongAnswerIsWaitedForWhereOthersAnswer(_ isSwitch: Bool) {
        var world = StageWorld(pods: [2])
        world.settle()
        for pod in world.pods { world.sights[pod.id]?.inFlight = 1 }
        if isSwitch {
            (world.stage.status.phase, world.stage.status.isReplaced) = (.deleteInProgress, true)
        } else {
            world.resources[0].status.wanted = 1
        }
        world.turn(after: 1)
        for _ in 0..<58 { world.turn(after: 60) }
        #expect(world.stopped.isEmpty)
        // But not for ever.
        world.turn(after: 180)
        #expect(world.stopped.count == (isSwitch ? 2 : 1))
    }

    @Test func fewerPodsLetTheUnreadyGoFirst() {
        var world = StageWorld(pods: [2])
        world.settle()
        world.run(world.pods[0].id, serving: false)
        world.turn(after: 1)
        world.resources[0].status.wanted = 1
        world.turn(after: 1)
        #expect(world.pods[0].phase == .draining)
        #expect(world.pods[1].phase == .ready)
    }

    @Test func aPodThatStillAnswersSomebodyIsTakenBackWhereOneIsLacking() {
        var world = StageWorld(pods: [2])
        world.settle()
        world.resources[0].status.wanted = 1
        for pod in world.pods { world.sights[pod.id]?.inFlight = 1 }
        world.turn(after: 1)
        #expect(world.pods.map(\.phase).contains(.draining))
        world.turn(after: 60)
        world.resources[0].status.wanted = 2
        world.turn(after: 1)
        world.turn(after: 1)
        #expect(world.pods.map(\.phase) == [.ready, .ready])
        #expect(world.launched.count == 2)
        #expect(world.stopped.isEmpty)
    }

    @Test func aPodWithoutRoomWaitsAndSaysSo() {
        var world = StageWorld(pods: [2], cpus: 1)
        world.settle()
        world.resources[0].status.wanted = 3
        world.turn(after: 1)
        #expect(world.launched.count == 2)
        #expect(world.resources[0].status.cause == "waits for room: no instance of this stage has 1 vCPU, 1.0 GiB free")
    }

    @Test func aNewResourceDoesNotDisturbAnActiveStage() {
        var world = StageWorld(nodes: 2)
        world.settle()
        var other = StageWorld(nodes: 2, pods: [1, 1]).resources[1]
        other.status = StageResourceStatus()
        world.resources.append(other)
        world.turn(after: 1)
        #expect(world.stage.status.phase == .active)
        world.end(world.pods[1].id, .failed, exit: 1, line: "cannot load")
        world.turn(after: 1)
        #expect(world.stage.status.phase == .active)
        #expect(world.stage.status.cause == "iris1: cannot load")
        #expect(world.resources[0].status.phase == .active)
    }

    @Test func aKilledServerLaunchesWhatItHadWritten() {
        var world = StageWorld()
        world.turn()
        // Written, then killed before the engine heard of it.
        world.sights = [:]
        let plan = world.turn(after: 1)
        #expect(plan.effects == [.launch(pod: "p1", of: "r0")])
        #expect(world.pods.count == 1)
    }
}
