import Testing

@testable import Gateway

struct RoutingTests {
    private func stage(_ id: String, _ prefixes: [String], _ models: [String] = ["iris"]) -> StageRoute {
        StageRoute(id: id, prefixes: prefixes, resources: models.map { ResourceRoute(name: $0, backends: []) })
    }

    private func compiled(_ stages: [StageRoute]) -> CompiledTable {
        let registry = RouteRegistry()
        registry.publish(RouteTable(stages: stages))
        return registry.current.table
    }

    /// `stage resource rest`, with a dash for what is missing.
    private func match(_ table: CompiledTable, _ path: String) -> String {
        Array(path.utf8).withUnsafeBytes { bytes in
            do throws(Refusal) {
                guard let match = try table.match(bytes, 0..<bytes.count) else { return "-" }
                return "\(match.stage.id) \(match.resource?.name ?? "-") \(bytes.text(match.rest..<bytes.count))"
            } catch {
                return "\(error.status)"
            }
        }
    }

    @Test(arguments: [
        ("/k/e/stages/blue/iris/v1/models/iris:predict", "blue iris /v1/models/iris:predict"),
        ("/k/e/iris/v1", "blue iris /v1"), ("/k/e/iris", "blue iris "), ("/k/e/iris/", "blue iris /"),
        ("/k/e/stages/green/iris/x", "green iris /x"), ("/k/e/stages/grey/iris/x", "blue - /stages/grey/iris/x"),
        ("/k/e/stages", "blue - /stages"), ("/k/e", "blue - "), ("/k/e/", "blue - /"), ("/k", "-"), ("/", "-"),
        ("/k/ee/iris", "-"),
        ("/k/e/iri/x", "blue - /iri/x"), ("/k/e/iriss/x", "blue - /iriss/x"), ("/K/e/iris", "-"),
        ("/%6B/e/iri%73/%2F", "blue iris /%2F"), ("/k%2fe/iris", "-"), ("/k//e/iris", "-"), ("//k/e/iris", "-"),
        ("/k/%e", "400"), ("/k/e/ir%zzis", "400"), ("/k/%00/iris", "400"), ("/k/e/stages/bl%", "400"),
        ("/k/e/v1/models/iris:predict", "blue iris /v1/models/iris:predict"),
        ("/k/e/stages/green/v2/health/ready", "green iris /v2/health/ready"),
        ("/k/e/openai/v1/completions", "blue iris /openai/v1/completions"), ("/k/e/v3/models", "blue - /v3/models"),
        ("/日本/é/iris/x", "utf iris /x"), ("/%E6%97%A5%E6%9C%AC/%c3%a9/iris/x", "utf iris /x"),
    ])
    func paths(_ path: String, _ expected: String) {
        let table = compiled([
            stage("blue", ["/k/e/stages/blue", "/k/e"]), stage("green", ["/k/e/stages/green"]), stage("utf", ["/日本/é"]),
        ])
        #expect(match(table, path) == expected)
    }

    @Test(arguments: [
        ("/v1/models/iris:predict", "iris"), ("/v1/models/iris/predict", "iris"), ("/v1/models/iris", "iris"),
        ("/v2/models/a:b/infer", "a:b"), ("/v1/models/a:b:predict", "a:b"), ("/v1/models/a:b", "a:b"),
        ("/v1/models/a%3Ab%3apredict", "a:b"), ("/v1/models/a", "-"), ("/v1/models/", "-"), ("/v1/models", "-"),
        ("/v1", "-"),
        ("/v2/health/live", "-"), ("/openai/v1/models", "-"), ("/v1/v1/models/iris", "v1"), ("/v1x/models/iris", "-"),
    ])
    func modelsWithoutAResource(_ path: String, _ model: String) {
        let models = path.hasPrefix("/v1/v1") ? ["iris", "v1"] : ["iris", "a:b"]
        let found = match(compiled([stage("s", ["/k"], models)]), "/k" + path)
        #expect(found.split(separator: " ")[1] == model)
    }

    /// In KServe's words, whichever way the address names it.
    @Test(arguments: [
        ("/k/nope/v1", "nope"), ("/k/v1/models/nope:predict", "nope"), ("/k/v1/models/no%70e", "nope"),
        ("/k/v2/models/nope/infer", "nope"), ("/k/v2/models/a:c/infer", "a:c"), ("/k/v1/models/a:c:explain", "a:c"),
        ("/k/v1/models", ""), ("/k/v2/health/live", ""), ("/k/openai/v1/completions", ""), ("/k/v1", ""), ("/k", ""),
    ])
    func whatHasNoModelIsNamed(_ path: String, _ name: String) throws {
        let table = compiled([stage("s", ["/k"], ["iris", "a:b"])])
        let named = try Array(path.utf8).withUnsafeBytes { bytes in
            let match = try #require(try table.match(bytes, 0..<bytes.count))
            #expect(match.resource == nil)
            return PathPart.text(bytes, match.name)
        }
        #expect(named == name)
        let message = Refusal.noModel(named).message
        #expect(
            name.isEmpty ? message.contains("names no model") : message == "Model with name \(name) does not exist.")
    }

    @Test func prefixesOfManyStagesAreFoundEach() {
        let stages = (0..<500).map {
            stage("s\($0)", ["/app\($0 % 7)/endpoint\($0)", "/app\($0 % 7)/endpoint\($0)/stages/s"])
        }
        let table = compiled(stages)
        for index in 0..<500 {
            #expect(match(table, "/app\(index % 7)/endpoint\(index)/iris/x") == "s\(index) iris /x")
            #expect(match(table, "/app\(index % 7)/endpoint\(index)/stages/s/iris/x") == "s\(index) iris /x")
            #expect(match(table, "/app\((index + 1) % 7)/endpoint\(index)/iris/x") == "-")
        }
    }
}
