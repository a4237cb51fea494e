/// The stages of endpoints. Their names are the endpoint's alone, so that they are looked up within one.
enum Stages: Noun {
    static let singular = "endpointStage"
    static let title = "stage"
    static let plural = "stages"
    static let path = "/endpoint-stages"

    static var columns: [Column] {
        [
            nameColumn,
            Column("DEFAULT") { $0["isDefaultStage"].bool == true ? "yes" : "" },
            stateColumn,
            Column("INSTANCES") { instances($0) },
            Column("PODS", isNumber: true) { pods($0) },
            Column("URL", isOptional: true) { StageView($0).url },
            createdColumn, idColumn,
        ]
    }

    /// `1/2`, of a stage or of what it serves: how many are ready, of how many there are to be.
    static func pods(_ item: JSONValue) -> String { "\(item["runningPodCount"].int ?? 0)/\(item["podCount"].int ?? 0)" }

    /// `2 × m2.c2m4`
    static func instances(_ item: JSONValue) -> String {
        JobDetails.instance(item, nodes: item["nodeCount"].int ?? 1)
    }

    /// A stage in one line of its endpoint's details: `next · ACTIVE · 1 × m2.c2m4 · 2/2 pods`.
    static func summary(_ stage: StageView, of endpoint: EndpointView) -> String {
        let parts = [
            stage.name + (stage.isDefault ? " (default)" : ""), Format.state(stage.code), instances(stage.json),
            "\(pods(stage.json)) pods", traffic(stage.json) { endpoint.stageName($0) }.joined(separator: ", "),
            endpoint.reason?.contains(stage.reason ?? "") ?? false ? "" : stage.reason ?? "",
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: " · ")
    }

    /// Where its requests go besides itself, and who may send how many: `10 % to next`, `API key needed`.
    /// - Parameter name: of the stage of an id.
    static func traffic(_ item: JSONValue, _ name: (String) -> String) -> [String] {
        let shares = [
            ("canary", "canaryStageId", "canaryPercent", "% go to"),
            ("shadow", "shadowStageId", "shadowPercent", "% are copied to"),
        ].compactMap { _, id, percent, words in
            item[id].string.map { "\(item[percent].text) \(words) \(name($0))" }
        }
        let rate = item["ratePerSecond"].int.map { "\($0) requests a second at most" }
        return shares + [rate, item["hasApiKey"].bool == true ? "API key needed" : nil].compactMap { $0 }
    }

    static func details(_ item: JSONValue) -> [(String, String)] { details(item) { $0 } }

    /// - Parameter name: of the stage of an id.
    static func details(_ item: JSONValue, _ name: (String) -> String) -> [(String, String)] {
        let traffic = traffic(item, name).enumerated().map { ($0 == 0 ? "traffic" : "", $1) }
        return head(item) + [
            ("endpoint", item["endpointName"].text), ("default", item["isDefaultStage"].text),
            ("gateway", Endpoints.gatewayState(item["deployStatus"].string)), ("url", StageView(item).url),
            ("instances", instances(item)), ("autoscaler", autoscaler(item["autoScaler"])),
            ("pods", pods(item)), ("log", item["useLog"].bool == true ? "yes" : ""),
        ] + traffic + foot(item)
    }

    /// `1 to 3 instances, one below 50 % for 10 min goes, 10 min after the last has come`
    private static func autoscaler(_ rule: JSONValue) -> String {
        guard rule["enable"].bool == true else { return "" }
        let range = "\(rule["minNodeCount"].text) to \(rule["maxNodeCount"].text) instances"
        guard rule["scaleDownEnable"].bool == true else { return "\(range), none goes" }
        return
            "\(range), one below \(rule["scaleDownUtilThreshPercentage"].text) % for \(rule["scaleDownUnneededMinute"].text) min goes, \(rule["scaleDownDelayAfterAddMinute"].text) min after the last has come"
    }
}
