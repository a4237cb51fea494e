import ArgumentParser
import Testing

@testable import CLI

@Suite struct CLIEndpointTests {
    // MARK: - What is typed

    @Test(
        arguments: [
            ("2", 2, 2), ("1-4", 1, 4), ("1..4", 1, 4), (" 3 ", 3, 3), ("2-2", 2, 2),
        ])
    func aCountMayBeARange(text: String, least: Int, most: Int) throws {
        let range = try CountRange(text, of: "--nodes", limit: 10)
        #expect(range.least == least)
        #expect(range.most == most)
    }

    @Test(arguments: [
        ("0", "--nodes 0 is out of range; use 1 to 10"), ("1-11", "--nodes 11 is out of range"),
        ("4-1", "4 is above 1; write 1-4"), ("x", "--nodes 'x' is no number"), ("1-2-3", "is no number"),
        ("", "is no number"), ("-3", "is no number"), ("3-", "is no number"),
    ])
    func anImpossibleCountIsNamed(text: String, words: String) {
        let error = #expect(throws: ValidationError.self) { _ = try CountRange(text, of: "--nodes", limit: 10) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func aModelAloneGetsOnePod() throws {
        #expect(
            JSONText.line(try ModelOption("iris").wire(model: "id"))
                == #"{"modelId":"id","podAutoScaleEnable":false,"podCount":1}"#)
    }

    @Test func aModelMayComeWithAllThatItsPodsGet() throws {
        let option = try ModelOption(
            "my iris, cpu=50%,memory=2Gi,gpu=50%,pods=2-4,scale=memory:70,idle=10,description=big, and slow")
        #expect(option.model == "my iris")
        #expect(
            JSONText.line(option.wire(model: "id"))
                == #"{"description":"big, and slow","idleMinutes":10,"maxPodCount":4,"modelId":"id","podAutoScaleEnable":true,"podCount":2,"resourceOptionDetail":{"cpu":"50%","gpu":"50%","memory":"2Gi"},"scaleMetricCode":"MEMORY_UTILIZATION","scaleMetricTarget":70}"#
        )
    }

    @Test func aRangeOfPodsIsScaledByTheProcessor() throws {
        let body = try ModelOption("iris,pods=1-3").wire(model: "id")
        #expect(body["scaleMetricCode"].string == "CPU_UTILIZATION")
        #expect(body["scaleMetricTarget"].int == 50)
        #expect(try ModelOption("iris,pods=1-3,scale=cpu").scale?.target == 50)
    }

    @Test(arguments: [
        ("", "the model comes first"), ("cpu=1", "the model comes first"), ("iris,cpus=1", "'cpus=1' is none of cpu"),
        ("iris,2", "'2' is none of"), ("iris,cpu=", "cpu= has no value"), ("iris,cpu=1,cpu=2", "cpu is given twice"),
        ("iris,pods=0", "--model iris: pods 0 is out of range; use 1 to 100"),
        ("iris,gpu=", "gpu= has no value"), ("iris,idle=0", "idle=0 is out of range"),
        ("iris,pods=1-2,scale=disk:5", "write scale=cpu:50"), ("iris,pods=1-2,scale=cpu:0", "write scale=cpu:50"),
        ("iris,scale=cpu:50", "scale needs a range of pods; add pods=1-4"),
        ("iris,pods=2,scale=cpu:50", "scale needs a range of pods"),
    ])
    func whatAModelCannotHaveIsNamed(text: String, words: String) {
        let error = #expect(throws: ValidationError.self) { _ = try ModelOption(text) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    private func settings(_ words: String...) throws -> StageSettings {
        try StageSettings.parse(["--instance", "m2.c2m4"] + words)
    }

    @Test func aStageOfFixedSizeHasNoAutoscaler() throws {
        let body = try settings("--model", "iris", "--nodes", "2", "--log").body(flavor: .string("f"), [.null])
        #expect(body["flavorId"] == .string("f"))
        #expect(body["nodeCount"] == .int(2))
        #expect(body["useLog"] == .bool(true))
        #expect(body["endpointModelResourceList"] == .array([.null]))
        #expect(body["caEnable"] == nil)
        #expect(try settings("--model", "iris").body(flavor: .null, [])["nodeCount"] == .int(1))
    }

    @Test func aRangeOfInstancesBringsOne() throws {
        let body = try settings(
            "--model", "iris", "--nodes", "2-3", "--no-scale-down", "--scale-down-threshold", "40",
            "--scale-down-unneeded", "5"
        ).body(flavor: .null, [])
        #expect(body["nodeCount"] == .int(2))
        #expect(body["caEnable"] == .bool(true))
        #expect(body["caMinNodeCount"] == .int(2))
        #expect(body["caMaxNodeCount"] == .int(3))
        #expect(body["caScaleDownEnable"] == .bool(false))
        #expect(body["caScaleDownUtilThresh"] == .int(40))
        #expect(body["caScaleDownUnneededTime"] == .int(5))
        #expect(body["caScaleDownDelayAfterAdd"] == nil)
    }

    @Test func everySubcommandParses() throws {
        let made = ["--model", "iris", "--instance", "m2.c2m4"]
        for words in [
            ["list"], ["get", "e"], ["wait", "e"], ["update", "e", "--name", "f"],
            ["delete", "e", "f", "-y", "--wait"],
            ["create", "e", "--stage", "s", "--no-wait"] + made, ["events", "e"],
            ["stage", "list", "e"], ["stage", "create", "e", "s"] + made, ["stage", "get", "e"],
            ["stage", "get", "e", "s"],
            ["stage", "delete", "e", "s", "t"], ["stage", "events", "e"], ["stage", "deploy", "e", "s"],
            ["switch", "e", "s", "--keep", "60"], ["back", "e"], ["traffic", "e", "--canary", "s=10", "--no-shadow"],
            ["key", "create", "e", "--stage", "s"], ["key", "clear", "e", "-y"], ["stats", "e", "--minutes", "5"],
            ["logs", "e", "m", "--pod", "0", "--tail", "5", "-t"], ["requests", "e", "--tail", "5"],
            ["resource", "add", "e", "m,pods=2"], ["resource", "remove", "e", "m", "--wait"],
            ["resource", "events", "e"],
            ["predict", "e", "{}", "--model", "m", "--stage", "s", "--key", "k"], ["predict", "e", "-"],
        ] {
            #expect(throws: Never.self, "\(words)") { _ = try EndpointCommand.parseAsRoot(words) }
        }
    }

    @Test(arguments: [
        (["create", "e", "--instance", "m2.c2m4"], "which --model? takumi model list shows them"),
        (["create", "e", "--model", "m"], "Missing expected argument '--instance"),
        (["create", "a/b", "--model", "m", "--instance", "i"], "NAME: 'a/b' has a slash"),
        (["create", "..", "--model", "m", "--instance", "i"], "'..' cannot be a part of an address"),
        (["create", "e", "--stage", ".", "--model", "m", "--instance", "i"], "--stage: '.' cannot be a part"),
        (
            ["create", "e", "--model", "m", "--instance", "i", "--nodes", "11"],
            "--nodes 11 is out of range; use 1 to 10"
        ),
        (
            ["create", "e", "--model", "m", "--instance", "i", "--no-scale-down"],
            "--no-scale-down is for a range of instances; add --nodes 1-3"
        ),
        (
            ["create", "e", "--model", "m", "--instance", "i", "--nodes", "1-2", "--scale-down-threshold", "0"],
            "--scale-down-threshold 0 is out of range; use 1 to 100 percent"
        ),
        (
            ["create", "e", "--instance", "i"] + (0...10).flatMap { _ in ["--model", "m"] },
            "--model: there are 11; at most 10"
        ),
        (["traffic", "e", "--canary", "s"], "write --canary STAGE=10, in percent"),
        (["traffic", "e", "--shadow", "s=101"], "--shadow s=101: 101 is out of range"),
        (["traffic", "e", "--rate", "0"], "--rate 0 is out of range"),
        (["traffic", "e", "--rate", "5", "--no-rate"], "--rate and --no-rate exclude each other"),
        (["switch", "e", "s", "--keep", "-1"], "--keep"), (["stats", "e", "--minutes", "0"], "use 1 to 10080"),
        (["logs", "e", "--tail", "0"], "--tail 0 is out of range; use 1 to 10000 lines"),
    ])
    func aMistakeIsNamedAndIsAUsageError(words: [String], hint: String) {
        do {
            _ = try EndpointCommand.parseAsRoot(words)
            Issue.record("\(words) is taken")
        } catch {
            let message = EndpointCommand.message(for: error)
            #expect(message.contains(hint), "\(message)")
            #expect(EndpointCommand.exitCode(for: error).rawValue == 64)
        }
    }

    @Test func aRefusalOfOneOfSeveralModelsNamesIt() throws {
        let names = try settings("--model", "iris,cpu=9", "--model", "roses").names
        #expect(
            names.option("endpointModelResourceList[0].resourceOptionDetail.cpu") == "--model iris, cpu")
        #expect(names.option("endpointModelResourceList[1].modelId") == "--model roses")
        #expect(names.option("endpointModelResourceList[7].modelId") == "--model")
        #expect(names.option("endpointModelResourceList") == "--model")
        #expect(names.option("caMaxNodeCount") == "--nodes")
        #expect(OptionNames(OptionNames.ofModel).option("resourceOptionDetail.memory") == "memory")
    }

    // MARK: - Traffic

    @Test func aShareIsAStageAndAPercentage() throws {
        let share = try TrafficShare("next=10", option: "--canary")
        #expect(share.stage == "next" && share.percent == 10)
        #expect(try TrafficShare("a=b=5%", option: "--canary").stage == "a=b")
    }

    private func endpoint() -> EndpointView {
        let stages: [JSONValue] = [
            .object([
                "endpointStageId": .string("1"), "endpointStageName": .string("next"), "isDefaultStage": .bool(false),
            ]),
            .object([
                "endpointStageId": .string("2"), "endpointStageName": .string("default"),
                "isDefaultStage": .bool(true), "canaryStageId": .string("1"), "canaryPercent": .int(10),
                "ratePerSecond": .int(5), "shadowStageId": .null,
            ]),
        ]
        return EndpointView(
            .object(["endpointName": .string("iris"), "endpointId": .string("e"), "endpointStageList": .array(stages)]))
    }

    @Test(
        arguments: [
            ([], #"{"canaryPercent":10,"canaryStageId":"1","ratePerSecond":5}"#),
            (
                ["--shadow", "next=50"],
                #"{"canaryPercent":10,"canaryStageId":"1","ratePerSecond":5,"shadowPercent":50,"shadowStageId":"1"}"#
            ),
            (["--canary", "next=20", "--no-rate"], #"{"canaryPercent":20,"canaryStageId":"1"}"#),
            (["--no-canary", "--rate", "9"], #"{"ratePerSecond":9}"#),
        ] as [([String], String)])
    func whatIsNotNamedOfTheTrafficStays(words: [String], body: String) throws {
        let command = try EndpointTraffic.parse(["iris"] + words)
        let view = endpoint()
        #expect(JSONText.line(try command.body(try view.stage(nil), of: view)) == body)
    }

    @Test func aStageGoesByItsNameOrIdAndTheDefaultOneByItself() throws {
        let view = endpoint()
        #expect(view.stages.map(\.name) == ["default", "next"])
        #expect(try view.stage("next").id == "1")
        #expect(try view.stage("2").name == "default")
        #expect(try view.stage(nil).name == "default")
        let failure = #expect(throws: CommandFailure.self) { try view.stage("nxt") }
        #expect(failure?.lines == ["endpoint 'iris' has no stage 'nxt'; it has 'next', 'default'"])
    }
}
