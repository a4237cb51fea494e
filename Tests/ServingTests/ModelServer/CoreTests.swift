import NIOCore
import Testing

@testable import ModelServer

struct CoreTests {
    @Test func whatArrivesInOneTurnGoesOutInOneCallAndIsSplitAgain() async throws {
        let stage = try await CoreStage()
        try await stage.run { stage in
            try stage.submit("a", CoreStage.row([1, 2]))
            try stage.submit("b", CoreStage.row([3, 4, 5, 6], rows: 2))
            var named = CoreStage.row([7, 8])
            named.id = "q\"1"
            named.parameters = ByteBuffer(string: #"{"k":1}"#)
            try stage.submit("c", named)
        }
        try await stage.run { stage in
            #expect(
                stage.link.headers == [
                    #"{"op":"infer","call":1,"protocol":"v2","verb":"predict","form":"tensors","rows":[1,2,1],"#
                        + #""inputs":[{"name":"x","datatype":"UINT8","shape":[4,2],"size":8}],"#
                        + #""items":[{},{},{"id":"q\"1","parameters":{"k":1}}]}"#
                ])
            #expect(stage.link.bodies == [[1, 2, 3, 4, 5, 6, 7, 8]])
            try stage.answer(
                #"{"call":1,"outputs":[{"name":"y","datatype":"UINT8","shape":[4],"size":4},"#
                    + #"{"name":"s","datatype":"BYTES","shape":[4],"size":19}]}"#,
                body: [10, 20, 30, 40, 1, 0, 0, 0, 65, 0, 0, 0, 0, 1, 0, 0, 0, 66, 1, 0, 0, 0, 67])
            #expect(stage.heard("a") == ["y[1]=[10] s[1]=[1, 0, 0, 0, 65]"])
            #expect(stage.heard("b") == ["y[2]=[20, 30] s[2]=[0, 0, 0, 0, 1, 0, 0, 0, 66]"])
            #expect(stage.heard("c") == ["y[1]=[40] s[1]=[1, 0, 0, 0, 67]"])
            #expect(stage.core.isIdle)
        }
    }

    @Test func inputsAreJoinedOneByOne() async throws {
        let stage = try await CoreStage()
        func request(_ values: [UInt8]) -> InferenceRequest {
            let heads = ["a", "b"].map { TensorHead(name: $0, datatype: .uint8, shape: [1, 2], size: 2) }
            return InferenceRequest(
                dialect: .v2, payload: .tensors(TensorSet(heads: heads, bytes: ByteBuffer(bytes: values))))
        }
        let requests = [request([1, 2, 3, 4]), request([5, 6, 7, 8])]
        try await stage.run { stage in
            for (index, request) in requests.enumerated() { try stage.submit("\(index)", request) }
        }
        try await stage.run { stage in
            #expect(stage.link.bodies == [[1, 2, 5, 6, 3, 4, 7, 8]])
        }
    }

    @Test func oneBadRequestFailsAlone() async throws {
        let stage = try await CoreStage()
        try await stage.run { stage in
            for name in ["a", "b", "c"] { try stage.submit(name, CoreStage.row([1])) }
        }
        try await stage.run { stage in
            try stage.answer(
                #"{"call":1,"items":[{"outputs":[{"name":"y","datatype":"UINT8","shape":[1],"size":1}]},"#
                    + #"{"error":"ValueError : bad","status":500},{"json":2}]}"#, body: [9, 123, 125])
            #expect(stage.heard("a") == ["y[1]=[9]"])
            #expect(stage.heard("b") == ["500 ValueError : bad"])
            #expect(stage.heard("c") == ["json {}"])
        }
    }

    @Test func aCrashFailsWhatWasSentAndKeepsWhatWaits() async throws {
        let stage = try await CoreStage(Core.Limits(batch: Batcher.Limits(calls: 1)))
        try await stage.run { try $0.submit("sent", CoreStage.row([1, 2], rows: 2)) }
        try await stage.run { try $0.submit("waits", CoreStage.row([3])) }
        try await stage.run { stage in
            stage.core.workerHasGone(cause: "the model's process ended (signal 9: killed)")
            #expect(
                stage.heard("sent") == [
                    "500 the model's process ended (signal 9: killed) while it worked on this request"
                ])
            #expect(stage.heard("waits").isEmpty)
            let error = #expect(throws: ServingError.self) { try stage.submit("new", CoreStage.row([1])) }
            #expect(error?.status == 503)
            #expect(error?.message.hasPrefix("Model with name m is not ready.") == true)
        }
        try await stage.run { stage in
            var model = ModelDescription()
            model.batch = true
            stage.core.workerIsReady(model, link: stage.link)
            #expect(stage.link.bodies == [[1, 2], [3]], "each has been sent once")
            #expect(throws: MalformedFrame.self) { try stage.answer(#"{"call":1,"items":[{"json":0}]}"#) }
            try stage.answer(#"{"call":2,"items":[{"json":0}]}"#)
            #expect(stage.heard("waits") == ["json "])
            #expect(stage.heard("sent").count == 1)
        }
    }

    @Test func aFullQueueRefusesAtOnce() async throws {
        let stage = try await CoreStage(Core.Limits(batch: Batcher.Limits(calls: 1), queue: 2))
        try await stage.run { try $0.submit("sent", CoreStage.row([1])) }
        try await stage.run { stage in
            try stage.submit("a", CoreStage.row([1]))
            try stage.submit("b", CoreStage.row([1]))
            let error = #expect(throws: ServingError.self) { try stage.submit("c", CoreStage.row([1])) }
            #expect(error?.status == 503)
            #expect(error?.retryAfter == 1)
            stage.cancel("a")
            try stage.submit("d", CoreStage.row([1]))
        }
    }

    @Test func aClientThatVanishesLeavesTheQueue() async throws {
        let stage = try await CoreStage(Core.Limits(batch: Batcher.Limits(calls: 1)))
        try await stage.run { try $0.submit("sent", CoreStage.row([1])) }
        try await stage.run { stage in
            try stage.submit("gone", CoreStage.row([2]))
            try stage.submit("stays", CoreStage.row([3]))
            stage.cancel("gone")
            stage.cancel("sent")
            try stage.answer(#"{"call":1,"items":[{"json":0}]}"#)
            #expect(stage.heard("sent").isEmpty)
            #expect(stage.link.bodies == [[1], [3]])
        }
    }

    @Test func limitsAreNamedAndAHangingWorkerIsEnded() async throws {
        let stage = try await CoreStage(Core.Limits(batch: Batcher.Limits(calls: 1), time: .seconds(1)))
        try await stage.run { try $0.submit("sent", CoreStage.row([1])) }
        try await stage.run { try $0.submit("waits", CoreStage.row([1])) }
        // Looked at again and again, since a busy machine may be late by more than the limit itself.
        while try await stage.run({ $0.link.killed.isEmpty }) { try await Task.sleep(for: .milliseconds(50)) }
        try await stage.run { stage in
            #expect(stage.heard("sent") == ["504 The model did not answer within the time limit of 1 s."])
            #expect(
                stage.heard("waits").first?.contains("waited for the time limit of 1 s without being sent") == true)
            #expect(stage.heardBeforeKill == 2, "both were answered before the process was ended")
            #expect(stage.link.killed.first == "the model's process did not answer for 2 s and was ended")
            stage.core.workerHasGone(cause: "x")
            #expect(stage.heard("sent").count == 1, "answered once")
        }
    }

    @Test func aRequestMayBringAShorterLimit() async throws {
        let stage = try await CoreStage(Core.Limits(time: .seconds(2)))
        try await stage.run { stage in
            var request = CoreStage.row([1])
            request.limit = .milliseconds(50)
            try stage.submit("a", request)
        }
        while try await stage.run({ $0.heard("a").isEmpty }) { try await Task.sleep(for: .milliseconds(20)) }
        try await stage.run { #expect($0.heard("a").first?.contains("time limit of 0.05 s") == true) }
    }

    @Test func streamsEndOnceAndAreCancelled() async throws {
        let stage = try await CoreStage()
        try await stage.run { stage in
            try stage.submit("a", CoreStage.chat(stream: true))
            try stage.submit("b", CoreStage.chat(stream: true))
            #expect(
                stage.link.headers == [
                    #"{"op":"openai","call":1,"route":"chat/completions","stream":true}"#,
                    #"{"op":"openai","call":2,"route":"chat/completions","stream":true}"#,
                ])
            try stage.answer(#"{"call":1,"chunk":true}"#, body: Array("{}".utf8))
            try stage.answer(#"{"call":1,"end":true}"#)
            #expect(stage.heard("a") == ["chunk {}", "end"])
            stage.cancel("b")
            #expect(stage.link.headers.last == #"{"op":"cancel","call":2}"#)
            try stage.answer(#"{"call":2,"chunk":true}"#, body: [1])
            try stage.answer(#"{"call":2,"end":true}"#)
            #expect(stage.heard("b").isEmpty)
            #expect(throws: MalformedFrame.self) { try stage.answer(#"{"call":2,"end":true}"#) }
            #expect(stage.core.isIdle)
        }
    }

    @Test(arguments: [
        (#"{"call":1,"items":[]}"#, [], "0 answers to a call of 2 requests"),
        (
            #"{"call":1,"outputs":[{"name":"y","datatype":"UINT8","shape":[3],"size":3}]}"#, [1, 2, 3],
            "has the shape [3]"
        ),
        (#"{"call":1,"outputs":[{"name":"y","datatype":"UINT8","shape":[2],"size":3}]}"#, [1, 2, 3], "3 bytes"),
        (#"{"call":1,"outputs":[{"name":"y","datatype":"FP8","shape":[2],"size":2}]}"#, [1, 2], "known datatype"),
        (#"{"call":1,"outputs":[{"name":"y","datatype":"UINT8","shape":[2],"size":2}]}"#, [1], "tells more"),
        (#"{"call":1,"outputs":[{"name":"y","datatype":"UINT8","shape":[2],"size":2}]}"#, [1, 2, 3], "tells 2"),
        (
            #"{"call":1,"outputs":[{"name":"y","datatype":"BYTES","shape":[2],"size":5}]}"#, [1, 0, 0, 0, 65],
            "ends within"
        ),
        (#"{"call":1,"chunk":true}"#, [], "not streamed"), (#"{"call":9,"items":[]}"#, [], "does not have"),
        (#"{"outputs":[]}"#, [], "no call"), ("{", [], "unexpected end"), ("", [], "empty"),
        (#"{"call":1,"items":[{"error":"x","status":200}]}"#, [], "status 200"),
    ])
    func brokenAnswersAreNotGuessedAt(_ header: String, _ body: [UInt8], _ sentence: String) async throws {
        let stage = try await CoreStage()
        try await stage.run { stage in
            try stage.submit("a", CoreStage.row([1]))
            try stage.submit("b", CoreStage.row([2]))
        }
        try await stage.run { stage in
            let error = #expect(throws: MalformedFrame.self) { try stage.answer(header, body: body) }
            #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
            #expect(stage.heard("a").isEmpty, "the end of the process answers")
        }
    }

    @Test func whatTheModelCannotDoIs501() async throws {
        let stage = try await CoreStage(description: ModelDescription())
        try await stage.run { stage in
            var explain = CoreStage.row([1])
            explain.verb = .explain
            #expect(throws: ServingError(501, "Model with name m does not explain: its handler has no 'explain'.")) {
                try stage.submit("a", explain)
            }
            let error = #expect(throws: ServingError.self) { try stage.submit("b", CoreStage.chat(stream: false)) }
            #expect(error?.status == 501)
        }
    }

    @Test func headersReachWorkersThatWantThem() async throws {
        let stage = try await CoreStage(description: ModelDescription())
        try await stage.run { stage in
            var request = CoreStage.row([1])
            request.headers = [("x-a", "1\"")]
            try stage.submit("a", request)
        }
        try await stage.run { #expect($0.link.headers[0].hasSuffix(#""items":[{"headers":{"x-a":"1\""}}]}"#)) }
    }

    @Test func otherThreadsUseTheSameQueue() async throws {
        let stage = try await CoreStage()
        let core = try await stage.run { InferenceCore($0.core) }
        try await stage.run { stage in
            stage.link.onFrame = { [core = stage.core] _, _ in
                core.loop.assumeIsolated().execute {
                    try? core.receive(
                        header: ByteBuffer(string: #"{"call":1,"items":[{"json":2}]}"#), body: ByteBuffer(string: "{}"))
                }
            }
        }
        guard case .json(let json, _) = try await core.infer(CoreStage.row([1])) else {
            Issue.record("no JSON")
            return
        }
        #expect(String(buffer: json) == "{}")
        #expect(try await core.description().batch)
        try await stage.run { $0.core.workerHasGone(cause: "gone") }
        await #expect(throws: ServingError.self) { try await core.infer(CoreStage.row([1])) }
        await #expect(throws: ServingError.self) { try await core.description() }
    }
}
