import Engine
import Foundation
import Resource
import Testing

@testable import NotebooksFeature

@Suite struct NotebookPlanTests {
    // MARK: - Starting

    @Test func becomesActiveStepByStep() {
        var world = NotebookWorld()
        world.turn()
        #expect(world.phase == .createInProgress && world.launched == [1])
        world.turn(after: 1)
        #expect(world.wait != nil && world.launched == [1])
        world.prepare("installing image python-notebook")
        world.turn(after: 1)
        #expect(world.cause == "installing image python-notebook")
        world.run()
        world.turn(after: 1)
        #expect(world.phase == .createInProgress, "a port is not JupyterLab")
        #expect(world.cause == "JupyterLab is starting")
        world.sight.health = .healthy
        world.turn(after: 1)
        #expect(world.phase == .healthy && world.cause == nil)
        #expect(world.events == ["JupyterLab answers after 4 s"])
        #expect(world.notebook.status.activeAt == world.now && world.notebook.status.platform == 1)
        world.turn(after: 5)
        #expect(world.phase == .healthy && world.events.count == 1)
    }

    @Test func saysWhatItWaitsForAndTellsItOnce() {
        var world = NotebookWorld()
        world.turn()
        world.sight.observation?.waiting = "waiting for 4.0 GiB of memory: 'iris' holds it"
        for _ in 0..<3 { world.turn(after: 10) }
        #expect(world.phase == .createInProgress)
        #expect(world.cause == "waiting for 4.0 GiB of memory: 'iris' holds it")
        #expect(world.events == ["waiting for 4.0 GiB of memory: 'iris' holds it"])
        world.run()
        world.sight.health = .healthy
        world.turn()
        #expect(world.phase == .healthy && world.cause == nil)
    }

    @Test func aLaunchThatTheServerDidNotLiveToSeeIsMadeAgain() {
        var world = NotebookWorld(phase: .createInProgress)
        world.turn()
        #expect(world.launched == [1])
    }

    @Test(arguments: [
        (NotebookPhase.createInProgress, NotebookPhase.createFailed), (.startInProgress, .startFailed),
        (.rebootInProgress, .rebootFailed),
    ])
    func aStartThatFailsSaysWhy(phase: NotebookPhase, failed: NotebookPhase) {
        var world = NotebookWorld(phase: phase)
        world.turn()
        world.end(.failedToPrepare, cause: "nas://shared:/gone is no directory; make it there first")
        world.turn(after: 1)
        #expect(world.phase == failed)
        #expect(world.cause == "nas://shared:/gone is no directory; make it there first")
        #expect(world.events == [world.cause])
        world.turn(after: 100)
        #expect(world.launched == [1], "a failed start is not tried for ever")
    }

    @Test func aProgramThatEndsAtOnceFailsWithItsLastLine() {
        var world = NotebookWorld()
        world.turn()
        world.end(.failed, exit: 1, cause: "ended with exit code 1", line: "ImportError: no jupyterlab")
        world.turn(after: 1)
        #expect(world.phase == .createFailed)
        #expect(world.cause == "ended with exit code 1: ImportError: no jupyterlab")
    }

    @Test func scriptsAreNamedWhileTheyRunAndTakeTheTimeTheyNeed() {
        var world = NotebookWorld()
        world.turn()
        world.run()
        world.sight.health = nil
        world.sight.report = StartReport(
            phase: "scripts", script: "10-install.sh", since: world.now.timeIntervalSince1970)
        world.turn(after: 5)
        #expect(world.cause == "running cont-init.d/10-install.sh")
        world.turn(after: 20)
        #expect(world.cause == "running cont-init.d/10-install.sh for 20 s")
        world.turn(after: 1200)
        #expect(world.phase == .createInProgress, "its user's scripts may take longer than JupyterLab may")
        // The time that JupyterLab has begins after them.
        world.sight.report = StartReport(phase: "starting", since: world.now.timeIntervalSince1970)
        world.sight.health = .unhealthy("no answer")
        world.turn(after: NotebookPlan.startLimit - 1)
        #expect(world.phase == .createInProgress)
        world.turn(after: 2)
        #expect(world.phase == .createFailed)
        #expect(world.cause == "JupyterLab did not answer within 10 minutes; see the log")
        #expect(world.stopped == [1], "what does not answer is not left running")
    }

    @Test func failedScriptsAreToldOfOnce() {
        var world = NotebookWorld()
        world.turn()
        world.run()
        world.sight.report = StartReport(
            phase: "serving",
            scripts: [.init(name: "10-good", exitCode: 0), .init(name: "20-bad", exitCode: 3)])
        world.sight.health = .healthy
        for _ in 0..<3 { world.turn(after: 5) }
        #expect(world.phase == .healthy, "a script that fails keeps nothing from starting")
        #expect(
            world.events == [
                "JupyterLab answers after 5 s", "cont-init.d/20-bad ended with exit code 3; see 20-bad.output",
            ])
    }

    // MARK: - Stopping, starting, rebooting, deleting

    @Test func stopsAndStartsAsAnotherRun() throws {
        var world = NotebookWorld.active()
        try world.ask(.stopInProgress)
        world.turn()
        #expect(world.stopped == [1] && world.phase == .stopInProgress)
        world.turn(after: 1)
        #expect(world.stopped == [1], "is asked once")
        world.end(.stopped)
        world.turn(after: 1)
        #expect(world.phase == .stopped && world.events == ["stopped"])

        try world.ask(.startInProgress)
        world.turn(after: 60)
        #expect(world.launched == [1, 2])
        world.run()
        world.sight.health = .healthy
        world.turn(after: 3)
        #expect(world.phase == .healthy)
        #expect(world.events.last == "JupyterLab answers after 3 s")
    }

    @Test func aRebootWaitsForTheEndOfWhatRan() throws {
        var world = NotebookWorld.active()
        try world.ask(.rebootInProgress)
        world.turn()
        #expect(world.stopped == [1] && world.launched == [1])
        world.turn(after: 5)
        #expect(world.launched == [1], "two JupyterLabs over the same files would harm them")
        world.end(.stopped)
        world.turn(after: 1)
        #expect(world.launched == [1, 2] && world.phase == .rebootInProgress)
        world.run()
        world.sight.health = .healthy
        world.turn(after: 2)
        #expect(world.phase == .healthy)
    }

    @Test func aWaitingOneCanBeStopped() throws {
        var world = NotebookWorld()
        world.turn()
        world.sight.observation?.waiting = "waiting for 1 vCPU"
        world.turn(after: 10)
        try world.ask(.stopInProgress)
        world.turn()
        #expect(world.stopped == [1])
        world.end(.stopped)
        world.turn(after: 1)
        #expect(world.phase == .stopped)
    }

    @Test func deletionWhileItStartsEndsItFirst() throws {
        var world = NotebookWorld()
        world.turn()
        world.prepare("installing")
        try world.ask(.deleteInProgress)
        world.turn(after: 1)
        #expect(world.stopped == [1] && !world.isGone)
        world.end(.stopped)
        let stored = world.notebook
        world.turn(after: 1)
        #expect(world.isGone)
        // A write would call the next round up, also where the deletion then fails.
        #expect(world.notebook.status == stored.status)
    }

    @Test(arguments: [NotebookPhase.stopped, .createFailed, .startFailed, .deleteFailed])
    func whatDoesNotRunIsDeletedAtOnce(phase: NotebookPhase) throws {
        var world = NotebookWorld(phase: phase)
        try world.ask(.deleteInProgress)
        world.turn()
        #expect(world.isGone)
    }

    @Test func whatIsOverStaysAsItIs() {
        for phase in [
            NotebookPhase.stopped, .createFailed, .startFailed, .stopFailed, .rebootFailed, .deleteFailed,
        ] {
            var world = NotebookWorld(phase: phase)
            world.turn()
            #expect(world.launched.isEmpty && world.phase == phase && world.wait == nil)
        }
    }

    // MARK: - Crashes

    @Test func comesAgainLaterAndLater() {
        var world = NotebookWorld.active()
        for (failures, seconds) in [0.0, 1, 5, 15, 60, 60].enumerated() {
            world.end(.failed, exit: -9, cause: "killed by signal 9 (Killed)")
            world.turn(after: 5)
            #expect(world.phase == .unhealthy)
            #expect(world.cause?.hasPrefix("killed by signal 9 (Killed); it is ") == true, "\(world.cause ?? "")")
            #expect(world.events.last == world.cause, "each is told")
            #expect(world.launched.count == failures + 1)
            if seconds > 0 {
                world.turn(after: seconds - 0.5)
                #expect(world.launched.count == failures + 1, "\(failures): not before \(seconds) s")
            }
            world.turn(after: 0.6)
            #expect(world.launched.count == failures + 2 && world.phase == .unhealthy)
            world.run()
            world.turn(after: 1)
            #expect(world.cause == "JupyterLab is starting", "what has yet to start is not told to be rebooted")
            world.sight.health = .healthy
            world.turn(after: 1)
            #expect(world.phase == .healthy && world.cause == nil)
            #expect(world.events.last == "JupyterLab answers after 2 s")
        }
        world.turn(after: NotebookPlan.calm + 1)
        world.end(.failed, exit: 1)
        world.turn()
        #expect(world.cause == "JupyterLab ended with exit code 1; it is being started again", "is forgiven by then")
    }

    @Test func aLostAgentIsReplaced() {
        var world = NotebookWorld.active()
        world.end(.lost, cause: "its agent vanished")
        world.turn()
        world.turn(after: 0.1)
        #expect(world.launched == [1, 2])
        #expect(world.events == ["its agent vanished; it is being started again"])
    }

    @Test func aWorkloadThatIsGoneIsLaunchedAgain() {
        var world = NotebookWorld.active()
        world.sight = NotebookSight()
        world.turn()
        world.turn(after: 0.1)
        #expect(world.launched == [1, 2] && world.phase == .unhealthy)
    }

    @Test func oneThatWaitsForItsPlaceAgainSaysSo() {
        var world = NotebookWorld.active()
        world.end(.failed, exit: 1)
        world.turn()
        world.turn(after: 0.1)
        world.sight.observation?.waiting = "waiting for 1 vCPU"
        world.turn(after: 1)
        #expect(world.phase == .unhealthy && world.cause == "waiting for 1 vCPU")
    }

    // MARK: - Health

    @Test func oneThatDoesNotAnswerIsUnhealthyUntilItDoes() {
        var world = NotebookWorld.active()
        let since = world.notebook.status.activeAt
        world.sight.health = .unhealthy("JupyterLab does not answer its health check")
        for _ in 0..<3 { world.turn(after: 5) }
        #expect(world.phase == .unhealthy && world.cause == "JupyterLab does not answer its health check")
        world.sight.health = .healthy
        world.turn(after: 5)
        #expect(world.phase == .healthy && world.cause == nil)
        #expect(world.events == ["JupyterLab does not answer its health check", "healthy again"])
        #expect(world.launched == [1] && world.notebook.status.activeAt == since, "it is the same JupyterLab")
    }

    @Test(arguments: ["boot", "data"])
    func fullStorageIsUnhealthyUntilThereIsRoom(name: String) {
        var world = NotebookWorld.active()
        world.fill(name, 1023, of: 1024)
        world.turn(after: 5)
        #expect(world.phase == .healthy)
        world.fill(name, 1030, of: 1024)
        for _ in 0..<2 { world.turn(after: 5) }
        #expect(world.phase == .unhealthy)
        #expect(world.cause?.hasPrefix("the \(name) storage is full: 1030 of 1024 MiB") == true)
        world.fill(name, 10, of: 1024)
        world.turn(after: 5)
        #expect(world.phase == .healthy && world.cause == nil && world.events.count == 2)
    }

    private func death(_ signal: Int, _ world: NotebookWorld) -> StartReport {
        StartReport(
            kernelDeaths: [.init(name: "mine", signal: signal, time: world.now.timeIntervalSince1970)])
    }

    @Test(arguments: [true, false])
    func aKernelKilledForMemoryIsToldOnceWhicheverIsSeenFirst(isCountedFirst: Bool) {
        var world = NotebookWorld.active()
        let report = death(9, world)
        if isCountedFirst { world.killForMemory(1) } else { world.sight.report = report }
        world.turn(after: 1)
        #expect(world.events.isEmpty && world.wait == .seconds(1), "half of it is known")
        world.killForMemory(1)
        world.sight.report = report
        for _ in 0..<3 { world.turn(after: 5) }
        #expect(world.phase == .healthy, "JupyterLab lives on")
        #expect(world.events.count == 1)
        #expect(world.events[0].hasPrefix("the kernel 'mine' was killed: out of memory"), "\(world.events)")
    }

    @Test func anotherProgramKilledForMemoryIsToldAfterAMoment() {
        var world = NotebookWorld.active()
        world.killForMemory(1)
        world.turn()
        world.turn(after: 1)
        #expect(world.events.isEmpty)
        for _ in 0..<3 { world.turn(after: 5) }
        #expect(world.events.count == 1 && world.events[0].hasPrefix("a program was killed: out of memory"))
        world.killForMemory(2)
        world.turn(after: 1)
        world.turn(after: 5)
        #expect(world.events.count == 2)
    }

    @Test(arguments: [9, 11])
    func aKernelThatDiesOtherwiseIsTold(signal: Int) {
        var world = NotebookWorld.active()
        world.sight.report = death(signal, world)
        for _ in 0..<3 { world.turn(after: 5) }
        #expect(world.events == ["the kernel 'mine' was killed by signal \(signal)"])
    }

    @Test func whoWasKilledHadNoLastWords() {
        var world = NotebookWorld.active()
        world.end(.failed, exit: -9, cause: "killed by signal 9 (Killed)", line: "[I ServerApp] Saving file")
        world.turn()
        #expect(world.cause == "killed by signal 9 (Killed); it is being started again")
    }

    @Test func everyPhaseHasAWayOut() {
        for phase in NotebookPhase.allCases {
            #expect(!phase.next.isEmpty, "\(phase)")
            if phase != .deleteInProgress { #expect(phase.next.contains(.deleteInProgress), "\(phase)") }
        }
    }
}
