import Testing

@testable import CLI

@Suite struct CLITuningTests {
    /// As the server shows one: two nodes for each of three parallel trials.
    private func tuning(_ more: [String: JSONValue] = [:]) throws -> JSONValue {
        var item = try JSONValue(
            parsing: .init(
                """
                {"hyperparameterTuningId":"id","hyperparameterTuningName":"iris","hyperparameterTuningStatusCode":"RUNNING",
                 "description":"","experiment":{"experimentId":"e","experimentName":"flowers"},
                 "image":{"imageId":"i","imageName":"PyTorch"},"flavor":{"id":"f","name":"m2.c2m4"},
                 "instanceCount":6,"parallelTrialCount":3,"sourceDirUri":"obs://s","entryPoint":"train.py",
                 "datasetList":[],"modelUploadUri":"obs://m","timeoutMinutes":60,"dataStorageList":[],"tagList":[],
                 "hyperparameterSpecList":[
                   {"hyperparameterName":"lr","hyperparameterTypeCode":"double","hyperparameterMinValue":"0.001",
                    "hyperparameterMaxValue":"0.1","hyperparameterScale":"log"},
                   {"hyperparameterName":"opt","hyperparameterTypeCode":"categorical",
                    "hyperparameterSpecifiedValues":"sgd,adam"}],
                 "metricList":[{"name":"accuracy"},{"name":"loss"}],"metricRegex":"x","objectiveMetricName":"accuracy",
                 "objectiveTypeCode":"MAXIMIZE","objectiveGoal":0.99,"objectiveStrategyCode":"MAX",
                 "maxFailedTrialCount":3,"maxTrialCount":20,"tuningStrategyName":"BAYESIAN_OPTIMIZATION","searchStrategyCode":"CMA_ES",
                 "tuningStrategyRandomState":7,"earlyStoppingAlgorithm":"MEDIAN","earlyStoppingRuleCode":"ASHA","earlyStoppingMinTrialCount":3,
                 "earlyStoppingStartStep":4,"trialCount":7,"successfulTrialCount":3,"runningTrialCount":3,
                 "failedTrialCount":1,"earlyStoppedTrialCount":0,"killedTrialCount":0,"metricsUnavailableTrialCount":0,
                 "elapsedTimeSeconds":65,"optimalTrial":{"trialId":"t","trialName":"trial-0004","objectiveValue":0.93,
                   "hyperparameterList":[{"parameterName":"lr","parameterValue":"0.01"}]}}
                """.utf8))
        for (field, value) in more { item = item.with(field, value) }
        return item
    }

    @Test func detailsSayHowFarItIsAndWhatItLooksFor() throws {
        let lines = Details(fields: Tunings.details(try tuning()).map { (name: $0, value: $1) }).lines()
        for line in [
            "state            RUNNING", "best trial       accuracy = 0.93 in trial-0004", "best values      lr = 0.01",
            "trials           4 of 20 trials ended: 3 succeeded, 1 failed, 3 running", "elapsed          1m 05s",
            "experiment       flowers", "image            PyTorch", "instance         2 × m2.c2m4",
            "search           lr=double:0.001..0.1:log", "                 opt=categorical:sgd,adam",
            "objective        maximize accuracy, until 0.99", "metrics          accuracy, loss",
            "strategy         CMA ES, random state 7",
            "early stopping   ASHA, after 3 trials, from report 4 on", "limits           20 trials, 3 failed",
            "parallel trials  3", "model output     obs://m",
        ] {
            #expect(lines.contains(line), "\(line) in:\n\(lines.joined(separator: "\n"))")
        }
    }

    @Test func newsChangeWithTheCountsAndNotWithTheClock() throws {
        let view = TuningView(try tuning())
        let news = TuningWatch.news(view)
        #expect(
            news
                == "RUNNING · 4 of 20 trials ended: 3 succeeded, 1 failed, 3 running · best: accuracy = 0.93 in trial-0004"
        )
        let later = TuningView(try tuning(["elapsedTimeSeconds": .int(66)]))
        #expect(TuningWatch.news(later) == news)
        let worse = TuningView(try tuning(["failedTrialCount": .int(2)]))
        #expect(TuningWatch.news(worse) != news)
        let start = TuningView(
            try tuning([
                "optimalTrial": .null, "trialCount": .int(0), "runningTrialCount": .int(0), "maxTrialCount": .null,
                "successfulTrialCount": .int(0), "failedTrialCount": .int(0),
                "statusReason": .string("waiting for 2 vCPU"),
            ]))
        #expect(TuningWatch.news(start) == "RUNNING · 0 trials ended")
        #expect(TuningWatch.progress(start, waited: 70) == "RUNNING · 1m 10s · waiting for 2 vCPU")
    }

    @Test(
        arguments: [
            ("COMPLETE", true, 0), ("STOPPED", true, 1), ("FAIL_HYPERPARAMETER_TUNING", true, 1),
            ("CREATE_FAILED", true, 1),
            ("RUNNING", false, 1), ("STOP_IN_PROGRESS", false, 1), ("SOMETHING_NEW", false, 1),
        ] as [(String, Bool, Int32)])
    func theExitStatusIsTheTunings(code: String, isSettled: Bool, status: Int32) throws {
        let view = TuningView(try tuning(["hyperparameterTuningStatusCode": .string(code)]))
        #expect(view.isSettled == isSettled)
        #expect(view.exitStatus == status)
    }

    @Test func messagesCallItByItsTitle() {
        let item = JSONValue.object([
            "hyperparameterTuningId": .string("1"), "hyperparameterTuningName": .string("iris"),
        ])
        #expect(Tunings.label(item) == "hyperparameter tuning 'iris' (1)")
        #expect(Tunings.copyName(item) == "iris-copy")
        #expect(
            Session.ambiguous(Tunings.self, "iris", [item, item]).lines[0].hasPrefix("2 hyperparameter tunings are"))
    }

    // MARK: - Trials

    private func trial(_ number: Int, _ value: Double?, _ state: String = "SUCCEEDED") -> JSONValue {
        .fields([
            "trialNumber": .int(number), "trialName": .string(Trials.named(number)), "trialStatusCode": .string(state),
            "objectiveValue": value.map { JSONValue.double($0) },
        ])
    }

    @Test func theBestTrialsComeFirstAndTheEarlierOfEqualOnes() {
        let trials = [trial(5, nil, "RUNNING"), trial(4, 0.9), trial(3, 0.5), trial(2, 0.9), trial(1, 0.1)]
        func numbers(_ count: Int, isMinimized: Bool) -> [Int?] {
            Trials.best(count, of: trials, isMinimized: isMinimized).map { $0["trialNumber"].int }
        }
        #expect(numbers(3, isMinimized: false) == [2, 4, 3])
        #expect(numbers(9, isMinimized: true) == [1, 3, 2, 4])
    }

    @Test(arguments: [(1, "trial-0001"), (9999, "trial-9999"), (12345, "trial-12345")])
    func aTrialGoesByItsNumber(number: Int, name: String) {
        #expect(Trials.named(number) == name)
    }

    @Test func aTrialTakesAsLongAsItRuns() {
        let times: [String: JSONValue] = [
            "startedDatetime": .string("2026-01-31T14:05:09Z"), "endedDatetime": .string("2026-01-31T14:06:14Z"),
        ]
        #expect(Trials.elapsed(.object(times)) == 65)
        #expect(Trials.elapsed(.object([:])) == nil)
        #expect(Trials.isSettled(trial(1, nil, "EARLY_STOPPED")))
        #expect(!Trials.isSettled(trial(1, nil, "RUNNING")))
        #expect(!Trials.isSettled(trial(1, nil, "SOMETHING_NEW")))
    }

    @Test func whatMattersMostComesFirst() {
        let values: [String: JSONValue] = ["a": .double(0.1), "b": .double(0.8), "c": .double(0.1)]
        let rows = TuningImportance.rows(.object(["importances": .object(values)]))
        #expect(rows.map { $0["name"].text } == ["b", "a", "c"])
        #expect(TuningImportance.rows(.object(["reason": .string("too few trials have ended")])).isEmpty)
    }

    // MARK: - Requests

    @Test func aCopyKeepsWhatIsNotChanged() throws {
        var body = JobRequest(copying: try tuning())
        body.apply(try JobSettings.parse(["--timeout", "2"]))
        body.apply(try SearchSettings.parse(["--search", "opt=categorical:adam,lion", "--search", "n=int:1..3"]))
        let specs = body.fields["hyperparameterSpecList"]?.array ?? []
        #expect(specs.map(SearchSpec.text) == ["lr=double:0.001..0.1:log", "opt=categorical:adam,lion", "n=int:1..3"])
        #expect(body.fields["imageId"] == .string("i"))
        #expect(body.fields["experimentId"] == .string("e"))
        #expect(body.fields["timeoutMinutes"] == .int(120))
        #expect(body.fields["objectiveMetric"]?["name"] == .string("accuracy"))
        #expect(body.fields["objectiveGoal"] == .double(0.99))
        #expect(body.fields["tuningStrategyRandomState"] == .int(7))
        #expect(body.fields["optimalTrial"] == nil)
    }

    @Test(
        arguments: [
            (nil, nil, 6, 3), (4, nil, 12, 3), (nil, 1, 2, 1), (1, 2, 2, 2),
        ] as [(Int?, Int?, Int64, Int64)])
    func instancesAreNodesTimesParallelTrials(nodes: Int?, parallel: Int?, instances: Int64, trials: Int64) throws {
        var body = JobRequest(copying: try tuning())
        body.set(nodes: nodes, parallel: nil)
        body.set(nodes: nil, parallel: parallel)
        #expect(body.fields["instanceCount"] == .int(instances))
        #expect(body.fields["parallelTrialCount"] == .int(trials))
    }

    @Test func anotherObjectiveHasAnotherGoalAndIsAMetricToo() throws {
        var body = JobRequest(copying: try tuning())
        body.apply(try SearchSettings.parse(["--minimize", "error", "--metric", "loss", "--metric", "f1"]))
        #expect(body.fields["objectiveMetric"]?["name"] == .string("error"))
        #expect(body.fields["objectiveTypeCode"] == .string("MINIMIZE"))
        #expect(body.fields["objectiveGoal"] == nil)
        #expect(body.fields["objectiveStrategyCode"] == nil)
        #expect(body.fields["metricList"]?.array?.map { $0["name"].text } == ["accuracy", "loss", "error", "f1"])
        body.apply(try SearchSettings.parse(["--objective-strategy", "latest", "--goal", "-1"]))
        #expect(body.fields["objectiveStrategyCode"] == .string("LATEST"))
        #expect(body.fields["objectiveGoal"] == .double(-1))
    }

    @Test func limitsAndEarlyStoppingOfACopyCanBeChanged() throws {
        var body = JobRequest(copying: try tuning())
        body.apply(
            try SearchSettings.parse([
                "--max-trials", "2", "--early-stopping", "none", "--strategy", "gaussian-process",
            ]))
        #expect(body.fields["maxTrialCount"] == .int(2))
        #expect(body.fields["maxFailedTrialCount"] == .int(2))
        #expect(body.fields["earlyStoppingRuleCode"] == nil)
        #expect(body.fields["earlyStoppingAlgorithm"] == nil)
        #expect(body.fields["earlyStoppingStartStep"] == nil)
        #expect(body.fields["searchStrategyCode"] == .string("GAUSSIAN_PROCESS"))
        #expect(body.fields["tuningStrategyName"] == nil)
    }

    @Test func aTemplateForTuningsGivesATrainingItsNodes() throws {
        var body = JobRequest(copying: try tuning())
        body.dropSearch()
        #expect(body.fields["instanceCount"] == .int(2))
        #expect(body.fields["parallelTrialCount"] == nil)
        #expect(body.fields["hyperparameterSpecList"] == nil)
    }

    @Test func aTemplateIsCopiedAsItsRequestWas() throws {
        let template = JSONValue.object([
            "trainingTemplateName": .string("t"), "experimentName": .string("new"), "imageId": .string("i"),
            "flavorId": .string("f"), "dataStorageSize": .int(300),
            "objectiveMetric": .object(["name": .string("accuracy")]), "createdDatetime": .string("now"),
        ])
        let body = JobRequest(copying: template)
        #expect(
            Set(body.fields.keys) == ["experimentName", "imageId", "flavorId", "dataStorageSize", "objectiveMetric"])
        let (settings, program) = (try JobSettings.parse([]), try JobProgram.parse(["--source", "obs://s"]))
        #expect(body.inExperiment(settings).experiment == nil)
        #expect(JobRequest().inExperiment(settings).experiment == "default")
        #expect(body.missing(settings, program) == ["--entry-point", "--model-output"])
        let search = try SearchSettings.parse(["--max-trials", "2"])
        #expect(body.missing(search) == ["--search"])
        let whole = JobRequest(copying: try tuning())
        #expect(whole.missing(search).isEmpty)
    }

    @Test func whatAChangeLeavesOutIsTakenAway() throws {
        let known = JobRequest(copying: try tuning())
        var body = known
        body.apply(try SearchSettings.parse(["--early-stopping", "none"]))
        body.takeAway(known)
        #expect(body.fields["earlyStoppingRuleCode"] == .null)
        #expect(body.fields["metricRegex"] == .string("x"))
    }

    @Test func aTemplateIsToldByItsHyperparameters() {
        let template = JSONValue.object([
            "hyperparameterList": .array([
                .object(["parameterName": .string("epochs"), "parameterValue": .string("1")])
            ]),
            "hyperparameterSpecList": .array([.object(["hyperparameterName": .string("lr")])]),
        ])
        #expect(Templates.hyperparameters(template) == ["epochs", "lr"])
    }
}
