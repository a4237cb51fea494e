import Testing

@testable import ModelServer

struct RouterTests {
    private func route(_ method: String, _ uri: String, name: String = "m") -> Result<Route, Router.Refusal> {
        do throws(Router.Refusal) {
            return .success(
                try Router(name: name).route(isPost: method == "POST", isGet: method == "GET", uri: uri))
        } catch {
            return .failure(error)
        }
    }

    @Test(arguments: [
        ("GET", "/", Route.alive), ("POST", "/", .byBody), ("GET", "/v1/models", .v1Models),
        ("GET", "/v1/models/m", .v1Model), ("GET", "/v1/models/m/", .v1Model), ("GET", "/v1/models/m?x=1", .v1Model),
        ("POST", "/v1/models/m:predict", .v1Infer(.predict)), ("POST", "/v1/models/m/predict", .v1Infer(.predict)),
        ("POST", "/v1/models/m:explain", .v1Infer(.explain)), ("POST", "/v1/models/m/explain", .v1Infer(.explain)),
        ("POST", "/v1/models/m%3Apredict", .v1Infer(.predict)), ("GET", "/v2", .v2Server), ("GET", "/v2/", .v2Server),
        ("GET", "/v2/health/live", .v2Live), ("GET", "/v2/health/ready", .v2Ready), ("GET", "/v2/models", .v2Models),
        ("GET", "/v2/models/m", .v2Model), ("GET", "/v2/models/m/ready", .v2ModelReady),
        ("POST", "/v2/models/m/infer", .v2Infer), ("POST", "http://host:1/v2/models/%6D/infer?a=/b", .v2Infer),
        ("POST", "/openai/v1/completions", .openAI(.completions)),
        ("POST", "/openai/v1/chat/completions", .openAI(.chatCompletions)),
        ("POST", "/v1/completions", .openAI(.completions)), ("POST", "/v1/chat/completions", .openAI(.chatCompletions)),
        ("GET", "/openai/v1/models", .openAIModels), ("GET", "/openai/v1/models/m", .openAIModels),
        ("GET", "/metrics", .metrics),
    ])
    func routes(_ method: String, _ uri: String, _ expected: Route) {
        #expect(route(method, uri) == .success(expected))
    }

    @Test(arguments: [
        ("GET", "/nothing", 404, "Not Found"), ("GET", "/v1/models/nope", 404, "Model with name nope does not exist."),
        ("POST", "/v1/models/a%2Fb:predict", 404, "Model with name a/b does not exist."),
        ("GET", "/v1/models/m:predict", 404, "Model with name m:predict does not exist."),
        ("POST", "/v1/models/m:nope", 405, "GET"), ("POST", "/v1/models/m", 405, "GET"),
        ("GET", "/v1/models/m/predict", 405, "POST"), ("GET", "/v2/models/m/infer", 405, "POST"),
        ("DELETE", "/", 405, "GET, POST"), ("PUT", "/metrics", 405, "GET"),
        ("GET", "/v2/models/m/versions/1", 501, "Model versioning not supported yet."),
        ("POST", "/v2/models/m/versions/1/infer", 501, "Model versioning not supported yet."),
        ("POST", "/v2/repository/models/m/load", 501, "Loading and unloading of models is not supported."),
        ("GET", "/openai/v1/chat/completions", 405, "POST"), ("GET", "/openai/v2", 404, "Not Found"),
    ])
    func refusals(_ method: String, _ uri: String, _ status: Int, _ text: String) {
        guard case .failure(let refusal) = route(method, uri) else {
            Issue.record("\(method) \(uri) was routed")
            return
        }
        #expect(refusal.error.status == status)
        #expect(refusal.error.message == text || refusal.error.allow == text)
        #expect((refusal.door == .openai) == uri.hasPrefix("/openai"))
    }

    @Test func namesAreComparedDecoded() {
        #expect(route("POST", "/v1/models/a%20b:predict", name: "a b") == .success(.v1Infer(.predict)))
        #expect(route("POST", "/v1/models/x:predict", name: "x:predict").error?.error.status == 405)
        #expect(route("POST", "/v1/models/x:predict:predict", name: "x:predict") == .success(.v1Infer(.predict)))
        #expect(route("GET", "/v1/models/%E3%83%A2%E3%83%87%E3%83%AB", name: "モデル") == .success(.v1Model))
    }
}

extension Result {
    fileprivate var error: Failure? { if case .failure(let error) = self { error } else { nil } }
}
