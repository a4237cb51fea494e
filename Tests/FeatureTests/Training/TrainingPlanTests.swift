import Engine
import Foundation
import JobKit
import Resource
import Testing

@testable import TrainingFeature

@Suite struct TrainingPlanTests {
    private let start = Date(timeIntervalSince1970: 1_000_000)

    private func training(_ phase: TrainingPhase, nodes: Int = 1, cause: String? = nil) -> Training {
        var status = TrainingStatus()
        status.phase = phase
        status.cause = cause
        return Training(
            metadata: Metadata(key: ResourceKey(.training, "t"), project: "default", name: "iris", createdAt: start),
            spec: TrainingSpec(
                experimentID: "e",
                job: JobSpec(
                    imageID: "i", flavorID: "f", nodes: nodes, source: "obs://s", entryPoint: "train.py",
                    modelOutput: "obs://m", timeoutMinutes: 60), hyperparameters: [], runName: "iris-1"),
            status: status)
    }

    private func task(
        _ phase: TaskState.Phase, _ outcome: TaskState.Outcome? = nil, ran: Bool = true, exit: Int? = nil,
        cause: String? = nil, ended: TimeInterval = 10
    ) -> TaskState {
        var state = TaskState(agentPID: 1, startedAt: start)
        state.phase = phase
        state.outcome = outcome
        state.cause = cause
        state.exitCode = exit
        state.runningAt = ran && phase != .preparing ? start.addingTimeInterval(1) : nil
        state.endedAt = phase == .ended ? start.addingTimeInterval(ended) : nil
        return state
    }

    private func status(_ actions: [TrainingAction]) -> TrainingStatus? {
        for case .write(let status, _) in actions { return status }
        return nil
    }

    @Test func launchesARequestedOne() {
        let actions = training(.createRequested).plan(nil)
        #expect(actions.first == .launch)
        #expect(status(actions)?.phase == .createInProgress)
    }

    @Test func launchesAgainWhereTheEngineKnowsNothing() {
        #expect(training(.createInProgress).plan(nil) == [.launch])
    }

    @Test func saysWhyItWaitsAndLooksAgain() {
        let waiting = Observation(tasks: [nil], waiting: "waiting for 2 vCPU: 3 running jobs hold them")
        let actions = training(.createInProgress).plan(waiting)
        #expect(status(actions)?.cause == "waiting for 2 vCPU: 3 running jobs hold them")
        #expect(actions.last == .wait(.seconds(10)))
        // The same reason is not written twice.
        #expect(training(.createInProgress, cause: waiting.waiting).plan(waiting) == [.wait(.seconds(10))])
    }

    @Test func showsWhatIsBeingPrepared() {
        let preparing = task(.preparing, cause: "installing image X: 3 of 9 packages")
        let status = status(training(.createInProgress).plan(Observation(tasks: [preparing])))
        #expect(status?.phase == .createInProgress)
        #expect(status?.cause == "installing image X: 3 of 9 packages")
    }

    @Test func runsThenCleansUpThenCompletes() {
        #expect(status(training(.createInProgress).plan(Observation(tasks: [task(.running)])))?.phase == .running)
        let finishing = Observation(tasks: [task(.finishing, exit: 0)])
        #expect(status(training(.running).plan(finishing))?.phase == .completeInProgress)
        let ended = status(training(.completeInProgress).plan(Observation(tasks: [task(.ended, .succeeded, exit: 0)])))
        #expect(ended?.phase == .complete)
        #expect(ended?.exitCode == 0)
        #expect(ended?.elapsed(at: .distantFuture) == 9)
    }

    @Test func aFailingProgramNeverLooksAsIfItCompleted() {
        let finishing = Observation(tasks: [task(.finishing, exit: 1)])
        #expect(status(training(.running).plan(finishing))?.phase == .failInProgress)
    }

    @Test func aNodeThatFailsDecidesAndIsNamed() {
        let observation = Observation(tasks: [
            task(.ended, .stopped, exit: -15, ended: 12),
            task(.ended, .failed, exit: 3, cause: "train.py ended with exit code 3", ended: 11),
        ])
        let status = status(training(.running, nodes: 2).plan(observation))
        #expect(status?.phase == .fail)
        #expect(status?.cause == "node 1: train.py ended with exit code 3")
        #expect(status?.exitCode == 3)
    }

    @Test func whileOthersStillStopItIsFailing() {
        let observation = Observation(tasks: [task(.running), task(.ended, .failed, exit: 3, cause: "no")])
        #expect(status(training(.running, nodes: 2).plan(observation))?.phase == .failInProgress)
    }

    @Test func whatNeverRanFailedToBeCreated() {
        let ended = task(.ended, .failedToPrepare, ran: false, cause: "requirements.txt could not be installed: …")
        let status = status(training(.createInProgress).plan(Observation(tasks: [ended])))
        #expect(status?.phase == .createFailed)
        #expect(status?.cause?.hasPrefix("requirements.txt") == true)
    }

    @Test func aStopIsPassedOnOnceAndEndsStopped() {
        let running = Observation(tasks: [task(.running)])
        #expect(training(.stopInProgress).plan(running) == [.stop])
        #expect(training(.stopInProgress).plan(Observation(tasks: [task(.running)], stopRequested: true)) == [])
        let ended = Observation(tasks: [task(.ended, .stopped, exit: -15)], stopRequested: true)
        let status = status(training(.stopInProgress).plan(ended))
        #expect(status?.phase == .stopped)
        #expect(status?.cause == nil)
    }

    @Test func aStopBeforeTheLaunchIsAStop() {
        #expect(status(training(.stopInProgress).plan(nil))?.phase == .stopped)
    }

    @Test func aVanishedAgentIsAFailureWithItsCause() {
        let lost = task(.ended, .lost, cause: "the agent of this node was killed (no message)")
        let status = status(training(.running).plan(Observation(tasks: [lost])))
        #expect(status?.phase == .fail)
        #expect(status?.cause == "the agent of this node was killed (no message)")
    }

    @Test(arguments: [TrainingPhase.stopped, .complete, .fail, .createFailed])
    func nothingIsLeftToDoForASettledOne(_ phase: TrainingPhase) {
        #expect(phase.isSettled)
        #expect(training(phase).plan(Observation(tasks: [task(.running)])) == [])
    }

    @Test func everyPlannedStepIsAllowed() throws {
        let observations: [Observation?] = [
            nil, Observation(tasks: [nil]), Observation(tasks: [nil], waiting: "w"),
            Observation(tasks: [task(.preparing)]),
            Observation(tasks: [task(.running)]), Observation(tasks: [task(.finishing, exit: 0)]),
            Observation(tasks: [task(.finishing, exit: 1)]), Observation(tasks: [task(.ended, .succeeded, exit: 0)]),
            Observation(tasks: [task(.ended, .failed, exit: 1)]),
            Observation(tasks: [task(.ended, .failedToPrepare, ran: false)]),
        ]
        // The combinations that the engine cannot produce: a program that came back from its end.
        func isPossible(_ phase: TrainingPhase, _ observation: Observation?) -> Bool {
            let state = observation?.tasks.first ?? nil
            switch phase {
            case .completeInProgress:
                return (state?.phase == .finishing && state?.exitCode == 0)
                    || state?.hasEnded == true && state?.outcome != .failedToPrepare
            case .failInProgress: return state?.hasEnded == true && state?.outcome == .failed
            case .running: return state?.runningAt != nil
            default: return true
            }
        }
        for phase in TrainingPhase.allCases {
            for observation in observations where isPossible(phase, observation) {
                guard let next = status(training(phase).plan(observation)) else { continue }
                #expect(throws: Never.self) { try phase.advanced(to: next.phase) }
            }
        }
    }

    @Test func noCodeOnTheWayToSuccessEndsTheSDKsWait() {
        for phase in [TrainingPhase.createRequested, .createInProgress, .running, .completeInProgress, .complete] {
            #expect(!phase.rawValue.contains("FAIL") && !phase.rawValue.contains("STOP"))
        }
    }
}
