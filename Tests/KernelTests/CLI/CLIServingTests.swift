import Testing

@testable import CLI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite struct CLIServingTests {
    /// As the server shows an endpoint of two stages, the further one first.
    private func endpoint(_ replacements: [(String, String)] = []) throws -> EndpointView {
        var text = """
            {"endpointId":"e","endpointName":"iris","endpointStatusCode":"UPDATE_IN_PROGRESS","description":"",
             "statusReason":"stage 'next': the model is being loaded","apigwStatusCode":"NOT_FOUND_STAGE",
             "apigwStageUrl":"127.0.0.1:8445/default/iris","tagList":[],
             "formerStageList":[{"endpointStageId":"2","keptUntilDatetime":"2026-01-31T14:05:09Z"},
              {"endpointStageId":"3","keptUntilDatetime":"2026-01-31T14:05:10Z"}],
             "endpointStageList":[
              {"endpointStageId":"2","endpointStageName":"next","endpointStageStatusCode":"CREATE_IN_PROGRESS",
               "statusReason":"the model is being loaded","isDefaultStage":false,"nodeCount":2,
               "flavor":{"name":"m2.c2m4"},"podCount":2,"runningPodCount":1,
               "apigwStageUrl":"127.0.0.1:8445/default/iris/stages/next","hasApiKey":true,"ratePerSecond":5,
               "autoScaler":{"enable":true,"minNodeCount":1,"maxNodeCount":3,"scaleDownEnable":true,
                "scaleDownUtilThreshPercentage":50,"scaleDownUnneededMinute":10,"scaleDownDelayAfterAddMinute":5},
               "endpointModelList":[
                {"endpointModelId":"r2","endpointModelStatusCode":"CREATE_IN_PROGRESS",
                 "statusReason":"the model is being loaded","modelId":"m2","model":{"modelName":"roses"},
                 "apigwResourceUri":"/roses","podCount":2,"runningPodCount":1,
                 "resourceOptionDetail":{"cpu":"1.0","memory":"2048Mi","gpu":"1"},"podAutoScaleEnable":true,
                 "scaleMetricCode":"CPU_UTILIZATION","scaleMetricTarget":50,"maxPodCount":4,"podList":[{"podId":"p1"}]}]},
              {"endpointStageId":"1","endpointStageName":"default","endpointStageStatusCode":"ACTIVE",
               "isDefaultStage":true,"nodeCount":1,"flavor":{"name":"m2.c2m4"},"podCount":1,"runningPodCount":1,
               "apigwStageUrl":"127.0.0.1:8445/default/iris","canaryStageId":"2","canaryPercent":10,
               "endpointModelList":[
                {"endpointModelId":"r1","endpointModelStatusCode":"ACTIVE","modelId":"m1","model":{"modelName":"iris"},
                 "apigwEndpointUri":"https://127.0.0.1:8445/default/iris/iris","apigwResourceUri":"/iris",
                 "podCount":1,"runningPodCount":1,"resourceOptionDetail":{"cpu":"0.5","memory":"512Mi","gpu":"0"},
                 "podList":[{"podId":"a"},{"podId":"b"}]},
                {"endpointModelId":"r3","endpointModelStatusCode":"ACTIVE","modelId":"m1","model":{"modelName":"iris"},
                 "apigwResourceUri":"/iris","podCount":1,"runningPodCount":1,
                 "resourceOptionDetail":{"cpu":"0.5","memory":"512Mi","gpu":"0"},"podList":[]}]}]}
            """
        for (old, new) in replacements { text = text.replacing(old, with: new) }
        return EndpointView(try JSONValue(parsing: Data(text.utf8)))
    }

    private func lines(_ fields: [(String, String)]) -> [String] {
        Details(fields: fields.map { (name: $0, value: $1) }).lines()
    }

    // MARK: - What is shown

    @Test func detailsOfAnEndpointBeginWithItsDefaultStage() throws {
        let lines = lines(Endpoints.details(try endpoint().json))
        for line in [
            "name            iris", "state           UPDATE IN PROGRESS", "gateway         NOT FOUND: STAGE",
            "url             https://127.0.0.1:8445/default/iris",
            "stages          default (default) · ACTIVE · m2.c2m4 · 1/1 pods · 10 % go to next",
            "                next · CREATE IN PROGRESS · 2 × m2.c2m4 · 1/2 pods · 5 requests a second at most, API key needed",
        ] {
            #expect(lines.contains(line), "\(line) in:\n\(lines.joined(separator: "\n"))")
        }
        #expect(lines.contains { $0.hasPrefix("former default  next, ") })
    }

    @Test func detailsOfAStageSayItsRules() throws {
        let lines = lines(Stages.details(try endpoint().stage("next").json))
        for line in [
            "instances   2 × m2.c2m4",
            "autoscaler  1 to 3 instances, one below 50 % for 10 min goes, 5 min after the last has come",
            "pods        1/2", "traffic     5 requests a second at most", "            API key needed",
            "default     no",
        ] {
            #expect(lines.contains(line), "\(line) in:\n\(lines.joined(separator: "\n"))")
        }
    }

    @Test func whatAPodGetsIsShort() throws {
        let view = try endpoint()
        let (roses, iris) = (try view.stage("next").resources[0], try view.stage(nil).resources[0])
        #expect(roses.allotment == "1 vCPU, 2048Mi, 1 GPU")
        #expect(roses.scaling == "up to 4 pods, cpu at 50 %")
        #expect(roses.pods == "1/2")
        #expect(iris.allotment == "0.5 vCPU, 512Mi")
        #expect(iris.scaling == "")
        let idle = StageModel(roses.json.with("idleMinutes", .int(10)))
        #expect(idle.scaling == "up to 4 pods, cpu at 50 %, none after 10 min without requests")
    }

    // MARK: - Waiting

    @Test func newsSayEachCauseAndNotTheClock() throws {
        let view = try endpoint()
        #expect(
            ServingWatch.news(view) == [
                "iris: ACTIVE", "iris: ACTIVE", "stage 'default': ACTIVE",
                "roses: 1/2 pods ready · the model is being loaded", "stage 'next': CREATE IN PROGRESS",
            ])
        let failed = try endpoint([
            ("CREATE_IN_PROGRESS", "CREATE_FAILED"), ("the model is being loaded", "no weights"),
        ])
        #expect(
            ServingWatch.news(failed).suffix(2) == [
                "roses: CREATE FAILED · no weights", "stage 'next': CREATE FAILED",
            ])
        #expect(
            ServingWatch.progress(view, waited: 70)
                == "UPDATE IN PROGRESS · 1m 10s · stage 'next': the model is being loaded")
    }

    // MARK: - Which one is meant

    @Test func aResourceGoesByItsModelOrItsId() throws {
        let stage = try endpoint().stage(nil)
        #expect(try stage.resources("iris").map(\.id) == ["r1", "r3"])
        #expect(try stage.resource("R3", option: "MODEL").id == "r3")
        let several = #expect(throws: CommandFailure.self) { try stage.resource("iris", option: "MODEL") }
        #expect(
            several?.lines == [
                "stage 'default' has 2 resources of model 'iris'; name one with MODEL, by its id here:\n  r1  iris  ACTIVE\n  r3  iris  ACTIVE"
            ])
        let none = #expect(throws: CommandFailure.self) { try stage.resources("roses") }
        #expect(none?.lines.first?.hasPrefix("stage 'default' has no model 'roses'; it has 'iris'") == true)
    }

    @Test func aModelIsAskedWhereItsStageAnswers() throws {
        let view = try endpoint()
        #expect(
            try EndpointPredict.url(of: nil, try view.stage(nil)) == "https://127.0.0.1:8445/default/iris/iris")
        #expect(
            try EndpointPredict.url(of: "roses", try view.stage("next"))
                == "https://127.0.0.1:8445/default/iris/stages/next/roses")
        let several = try endpoint([
            (#""apigwResourceUri":"/iris","podCount":1,"runningPodCount":1,"#, #""apigwResourceUri":"/x","#)
        ]).stage(nil)
        #expect(try EndpointPredict.url(of: "r3", several) == "https://127.0.0.1:8445/default/iris/x")
        #expect(throws: CommandFailure.self) { try EndpointPredict.url(of: nil, several) }
    }

    @Test func amongSeveralModelsOneHasToBeNamed() throws {
        let json = try endpoint().json
        let stage = StageView(
            .object([
                "endpointStageName": .string("s"),
                "endpointModelList": .array(
                    ["a", "b"].map {
                        .object([
                            "apigwResourceUri": .string("/\($0)"), "model": .object(["modelName": .string($0)]),
                        ])
                    }),
            ]))
        let failure = #expect(throws: CommandFailure.self) { try EndpointPredict.url(of: nil, stage) }
        #expect(failure?.lines == ["which --model? stage 's' serves 'a', 'b'"])
        #expect(try EndpointPredict.url(of: "b", stage).hasSuffix("/b"))
        // A model that was given another name since is at both addresses.
        let renamed = StageView(
            .object([
                "endpointModelList": .array(
                    ["old", "new"].map {
                        .object([
                            "apigwResourceUri": .string("/\($0)"), "model": .object(["modelName": .string("new")]),
                        ])
                    })
            ]))
        #expect(try EndpointPredict.url(of: "new", renamed).hasSuffix("/new"))
        #expect(try EndpointPredict.url(of: "old", renamed).hasSuffix("/old"))
        let empty = StageView(json.with("endpointModelList", .array([])))
        #expect(throws: CommandFailure.self) { try EndpointPredict.url(of: nil, empty) }
    }

    @Test(
        arguments: [
            (nil, ["a", "b", nil]), ("1", ["b"]), ("A", ["a"]), ("2", []), ("x", []),
        ] as [(String?, [String?])])
    func aPodGoesByItsNumberOrItsId(word: String?, pods: [String?]) throws {
        let stage = try endpoint().stage(nil)
        // The last one, which has none, has a log all the same.
        let sources = EndpointLogs.Source.all(of: stage.resources, on: stage, word)
        #expect(sources.map(\.pod) == pods)
        #expect(EndpointLogs.Source.all(of: [stage.resources[1]], on: stage, word).allSatisfy { $0.pod == nil })
    }

    @Test func podsAreNumberedThroughTheStage() throws {
        let json = try endpoint().stage(nil).json
        let twice = StageView(
            json.with("endpointModelList", .array((json["endpointModelList"].array ?? []).reversed())))
        #expect(
            EndpointLogs.Source.all(of: twice.resources, on: twice, nil).map(\.label) == ["iris 0", "iris 1", "iris"])
    }

    @Test func formerDefaultsAreKeptForAWhile() throws {
        let view = try endpoint()
        let end = try #require(Timestamp.seconds("2026-01-31T14:05:09Z"))
        #expect(
            Endpoints.formers(view, now: end - 1).map(\.1) == [
                "next, kept until \(Timestamp.local("2026-01-31T14:05:09Z"))",
                "3, kept until \(Timestamp.local("2026-01-31T14:05:10Z"))",
            ])
        #expect(Endpoints.formers(view, now: end).map(\.0) == ["former default", ""])
        #expect(Endpoints.formers(view, now: end).first?.1 == "next, going")
    }

    @Test func whatAStageTakesFromTheFormerDefaultIsSaid() throws {
        let (open, guarded) = (try endpoint().stage("default"), try endpoint().stage("next"))
        #expect(
            EndpointSwitch.taken(by: open, from: guarded)
                == "'default' has taken the API keys and rate limit of 'next'")
        #expect(EndpointSwitch.taken(by: guarded, from: open) == nil)
        #expect(EndpointSwitch.taken(by: guarded, from: guarded) == nil)
    }

    // MARK: - Requests

    @Test(
        arguments: [
            (#"{"inputs": []}"#, #"{"inputs": []}"#), ("[[1, 2]]", #"{"instances": [[1, 2]]}"#),
            (" \n[1]", #"{"instances":  \#n[1]}"#),
        ])
    func aListAloneIsShortForInstances(typed: String, sent: String) throws {
        #expect(String(decoding: try PredictRequest.body(typed), as: UTF8.self) == sent)
    }

    @Test(arguments: [
        ("{instances: [1]}", "put it in '…'"), ("", "no JSON"), ("@/absent/file", "'/absent/file' cannot be read"),
    ])
    func whatIsNoRequestIsAUsageError(typed: String, words: String) {
        let failure = #expect(throws: CommandFailure.self) { _ = try PredictRequest.body(typed) }
        #expect(failure?.status == ExitStatus.usage)
        #expect(failure?.lines.first?.contains(words) == true, "\(failure?.lines ?? [])")
    }

    @Test(
        arguments: [
            (
                404, #"{"error": "Model with name x does not exist."}"#,
                "answered 404: Model with name x does not exist."
            ),
            (400, #"{"error": {"message": "bad prompt", "type": "t"}}"#, "answered 400: bad prompt"),
            (502, "<html>", "answered 502: <html>"), (503, "", "answered 503: no reason"),
            (401, #"{"error": "key"}"#, "answered 401: key (give it with --key)"),
        ])
    func aRefusalOfTheGatewayIsSaidInItsWords(status: Int, body: String, words: String) {
        let failure = GatewayClient.refusal(status, Data(body.utf8))
        #expect(failure.lines == ["the endpoint " + words])
        #expect(failure.status == ExitStatus.failure)
    }

    // MARK: - A request to begin with

    @Test(
        arguments: [
            (#"[{"name":"i","datatype":"FP64","shape":[-1,4]}]"#, #"{"instances": [[0.0, 0.0, 0.0, 0.0]]}"#),
            (#"[{"name":"i","datatype":"INT64","shape":[-1,2,2]}]"#, #"{"instances": [[[0, 0], [0, 0]]]}"#),
            (#"[{"name":"i","datatype":"BYTES","shape":[-1]}]"#, #"{"instances": ["text"]}"#),
            (#"[{"name":"i","datatype":"BOOL","shape":[-1,-1]}]"#, #"{"instances": [[false]]}"#),
            (
                #"[{"name":"a","datatype":"FP32","shape":[-1,1]},{"name":"b","datatype":"BYTES","shape":[-1]}]"#,
                #"{"instances": [{"a": [0.0], "b": "text"}]}"#
            ),
            (#"[{"name":"i","datatype":"FP32","shape":[-1,3,224,224]}]"#, nil), ("[]", nil),
        ] as [(String, String?)])
    func anExampleHasTheShapeThatTheModelTakes(inputs: String, body: String?) throws {
        let metadata = JSONValue.object(["inputs": try JSONValue(parsing: Data(inputs.utf8))])
        #expect(Example.body(metadata) == body)
    }

    @Test func anExampleCanBeCopiedIntoAShell() {
        let url = "https://h:1/default/iris/it's"
        #expect(
            Example.curl(url, "{}", caFile: "/my home/ca.pem", needsKey: true)
                == #"curl --cacert '/my home/ca.pem' -H 'X-API-Key: KEY' 'https://h:1/default/iris/it'\''s' -d '{}'"#)
        #expect(
            Example.curl("https://h:1/x", nil, caFile: nil, needsKey: false) == "curl https://h:1/x -d @request.json")
        #expect(Example.body(.null) == nil)
    }
}
