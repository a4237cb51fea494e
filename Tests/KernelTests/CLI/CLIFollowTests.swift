import Testing

@testable import CLI

@Suite struct CLILogFollowTests {
    private func line(_ offset: Int, _ text: String = "x") -> [UInt8] {
        Array(#"{"time":"t","stream":"stdout","node":0,"text":"\#(text)","offset":\#(offset)}"#.utf8) + [0x0A]
    }

    @Test func linesAreHandedOnWhenTheyAreWhole() {
        var follow = LogFollow()
        let bytes = line(0, "one") + line(10, "two")
        #expect(follow.received(bytes.prefix(20)).isEmpty)
        #expect(follow.received(bytes.dropFirst(20)).map(\.text) == ["one", "two"])
        #expect(follow.last == 10)
    }

    @Test func aBrokenStreamIsTakenUpAtTheLastWholeLineAndRepeatsNothing() {
        var follow = LogFollow()
        _ = follow.received(line(0) + line(10))
        // Half of the next line is lost with the connection, and comes again whole.
        #expect(follow.received(line(20, "three").prefix(15)).isEmpty)
        #expect(follow.connectionLost() == .wait(milliseconds: 200, offset: 10))
        #expect(follow.received(line(10) + line(20, "three") + line(30)).map(\.offset) == [20, 30])
    }

    @Test func beforeTheFirstLineItBeginsAtTheBeginning() {
        var follow = LogFollow()
        #expect(follow.connectionLost() == .wait(milliseconds: 200, offset: nil))
    }

    @Test func pausesGrowUntilAServerIsGivenUp() {
        var follow = LogFollow()
        var pauses: [Int] = []
        while case .wait(let milliseconds, _) = follow.connectionLost(), pauses.count < 100 {
            pauses.append(milliseconds)
        }
        #expect(pauses.prefix(5) == [200, 500, 1000, 2000, 2000])
        #expect((50_000...LogFollow.patience).contains(pauses.reduce(0, +)))
    }

    @Test func aLineThatComesMakesItPatientAgain() {
        var follow = LogFollow()
        for _ in 0..<20 { _ = follow.connectionLost() }
        _ = follow.received(line(0))
        #expect(follow.connectionLost() == .wait(milliseconds: 200, offset: 0))
    }

    @Test func anEndIsBelievedOnlyOfATrainingThatHasEnded() {
        var follow = LogFollow()
        _ = follow.received(line(0))
        // The server is shut down in good order while the training goes on.
        #expect(follow.streamEnded() == .askWhetherEnded)
        #expect(follow.answered(hasEnded: false) == .wait(milliseconds: 200, offset: 0))
        // By the next time it has ended; what it wrote in between is fetched first.
        #expect(follow.streamEnded() == .askWhetherEnded)
        #expect(follow.answered(hasEnded: true) == .open(offset: 0))
        #expect(follow.received(line(10, "last")).map(\.text) == ["last"])
        #expect(follow.streamEnded() == .finish)
    }

    @Test func aQuietTrainingIsNeverGivenUp() {
        var follow = LogFollow()
        for _ in 0..<200 {
            #expect(follow.streamEnded() == .askWhetherEnded)
            let action = follow.answered(hasEnded: false)
            #expect(action != .giveUp)
        }
    }

    @Test func whatIsNoLineIsLeftOut() {
        var follow = LogFollow()
        #expect(follow.received(Array("\n{}\nnonsense\n".utf8) + line(0)).count == 1)
    }

    @Test(arguments: [
        ("2026-01-31T14:05:09.123456Z loss = 1", "2026-01-31T14:05:09.123456Z", "loss = 1"),
        ("2026-01-31T14:05:09.123456Z ", "2026-01-31T14:05:09.123456Z", ""), ("no time", "", "no time"), ("", "", ""),
    ])
    func thePlainLogHasATimeBeforeEachLine(line: String, time: String, text: String) {
        let record = LogRecord(plain: line[...], node: 0)
        #expect(record.time == time)
        #expect(record.text == text)
        #expect(record.line(ofNodes: 2, withTime: true) == "\(time) [node 0] \(text)")
    }

    @Test func severalNodesAreToldApart() throws {
        let record = try #require(LogRecord(#"{"node":1,"text":"hi","offset":0,"stream":"stderr"}"#.utf8))
        #expect(record.line(ofNodes: 2) == "[node 1] hi")
        #expect(record.line(ofNodes: 1) == "hi")
        #expect(record.stream == .stderr)
    }
}

@Suite struct CLIRunMonitorTests {
    private func view(_ code: String, exit: Int? = nil) -> TrainingView {
        TrainingView(
            .fields([
                "trainingId": .string("id"), "trainingName": .string("iris"), "trainingStatusCode": .string(code),
                "exitCode": .int(exit),
            ]))
    }

    @Test func itEndsWhenTheTrainingAndAllItsLogsHave() {
        var monitor = RunMonitor(view("CREATE_REQUESTED"), logs: 2)
        #expect(monitor.observed(view("RUNNING"), at: 1) == [.changed])
        #expect(monitor.observed(view("RUNNING"), at: 2) == [])
        #expect(monitor.logEnded(at: 3) == [])
        #expect(monitor.observed(view("COMPLETE"), at: 4) == [.changed])
        #expect(monitor.logEnded(at: 4) == [.end(status: 0)])
        #expect(monitor.observed(view("COMPLETE"), at: 5) == [])
    }

    @Test func aLogThatNeverEndsIsNotWaitedForForever() throws {
        var monitor = RunMonitor(view("RUNNING"), logs: 1)
        _ = monitor.observed(view("FAIL_TRAIN", exit: 3), at: 10)
        monitor.heard(at: 20)
        #expect(monitor.observed(view("FAIL_TRAIN", exit: 3), at: 30) == [])
        #expect(monitor.observed(view("FAIL_TRAIN", exit: 3), at: 36).last == .end(status: 3))
    }

    @Test func theFirstInterruptStopsAndTheSecondLeaves() {
        var monitor = RunMonitor(view("RUNNING"), logs: 1)
        #expect(monitor.interrupted().last == .askToStop)
        let actions = monitor.interrupted()
        #expect(actions.last == .leave(status: 130))
        guard case .say(let text) = actions.first else {
            Issue.record("it says how to follow it again")
            return
        }
        #expect(text.contains("takumi training logs -f id"))
    }

    @Test func aStoppedTrainingEndsAsAnInterruptedCommand() {
        var monitor = RunMonitor(view("RUNNING"), logs: 1)
        _ = monitor.interrupted()
        _ = monitor.logEnded(at: 1)
        #expect(monitor.observed(view("STOP_IN_PROGRESS"), at: 1) == [.changed])
        #expect(monitor.observed(view("STOPPED"), at: 2) == [.changed, .end(status: 130)])
    }

    @Test func anInterruptThatCameTooLateChangesNothing() {
        var monitor = RunMonitor(view("RUNNING"), logs: 0)
        _ = monitor.interrupted()
        #expect(monitor.observed(view("COMPLETE"), at: 1).last == .end(status: 0))
    }

    @Test func whatCannotBeStoppedYetIsAskedAgainWhenItRuns() {
        var monitor = RunMonitor(view("CREATE_IN_PROGRESS"), logs: 1)
        _ = monitor.interrupted()
        guard case .say = monitor.stopRefused("it does not run").first else {
            Issue.record("it says why")
            return
        }
        #expect(monitor.observed(view("CREATE_IN_PROGRESS"), at: 1) == [])
        #expect(monitor.observed(view("RUNNING"), at: 2) == [.changed, .askToStop])
        #expect(monitor.observed(view("RUNNING"), at: 3) == [])
    }

    @Test func aServerThatStaysAwayEndsTheWatchingAndNotTheTraining() {
        var monitor = RunMonitor(view("RUNNING"), logs: 1)
        guard case .say = monitor.unreachable(at: 0).first else {
            Issue.record("it says so once")
            return
        }
        #expect(monitor.unreachable(at: 30) == [])
        #expect(monitor.unreachable(at: 61).last == .leave(status: 69))
    }

    @Test func aServerThatComesBackIsWelcome() {
        var monitor = RunMonitor(view("RUNNING"), logs: 1)
        _ = monitor.unreachable(at: 0)
        #expect(monitor.observed(view("RUNNING"), at: 50) == [.say("the server is back")])
        _ = monitor.unreachable(at: 55)
        #expect(monitor.unreachable(at: 80) == [])
    }

    @Test(
        arguments: [
            ("COMPLETE", 0, 0), ("COMPLETE", nil, 0), ("FAIL_TRAIN", 3, 3), ("FAIL_TRAIN", nil, 1),
            ("FAIL_TRAIN", 0, 1),
            ("FAIL_TRAIN", -9, 137), ("FAIL_TRAIN", -15, 143), ("FAIL_TRAIN", 1000, 1), ("STOPPED", nil, 1),
            ("CREATE_FAILED", nil, 1),
        ] as [(String, Int?, Int32)])
    func theExitStatusIsTheTrainings(code: String, exit: Int?, status: Int32) {
        #expect(view(code, exit: exit).exitStatus == status)
        #expect(view(code).isSettled)
    }

    @Test func aStateOfANewerServerIsOnItsWay() {
        #expect(!view("SOMETHING_NEW").isSettled)
    }

    @Test func aCopyKeepsWhatIsNotChanged() throws {
        let original = try JSONValue(
            parsing: .init(
                """
                {"trainingName":"a","instanceCount":2,"image":{"imageId":"i"},"flavor":{"id":"f"},"timeoutMinutes":60,"dataStorageList":[{"storageSize":300}],
                 "experiment":{"experimentId":"e"},"checkPointInputUri":null,
                 "hyperparameterList":[{"parameterName":"lr","parameterValue":"0.1"},
                                       {"parameterName":"epochs","parameterValue":"1"}]}
                """.utf8))
        var body = JobRequest(copying: original)
        body.apply(try JobSettings.parse(["--timeout", "2"]))
        body.apply(try Hyperparameters.parse(["--hp", "epochs=9"]))
        #expect(body.fields["instanceCount"] == .int(2))
        #expect(body.fields["imageId"] == .string("i"))
        #expect(body.fields["flavorId"] == .string("f"))
        #expect(body.fields["experimentId"] == .string("e"))
        #expect(body.fields["timeoutMinutes"] == .int(120))
        #expect(body.fields["checkPointInputUri"] == nil)
        #expect(body.fields["dataStorageSize"] == .int(300))
        #expect(body.fields["hyperparameterList"]?.array?.map { $0["parameterValue"].text } == ["0.1", "9"])
    }

    @Test func theSummarySaysWhereThingsAre() {
        let json = JSONValue.fields([
            "trainingId": .string("id"), "trainingName": .string("iris"), "trainingStatusCode": .string("FAIL_TRAIN"),
            "statusReason": .string("killed: out of memory"), "exitCode": .int(-9), "elapsedTimeSeconds": .int(65),
            "modelUploadUri": .string("obs://h/v1/AUTH_t/c/it's"), "tensorboardAccessUri": .string("http://t/"),
        ])
        let lines = RunText.summary(TrainingView(json), download: nil)
        #expect(lines.contains("status       FAIL TRAIN: killed: out of memory"))
        #expect(lines.contains("elapsed      1m 05s"))
        #expect(lines.contains(#"fetch it     takumi storage cp 'obs://h/v1/AUTH_t/c/it'\''s' ./model"#))
        #expect(lines.contains("tensorboard  http://t/"))
    }
}
