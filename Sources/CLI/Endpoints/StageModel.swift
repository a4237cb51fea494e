/// A model on a stage.
struct StageModel: Equatable, Sendable {
    var json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    static let path = "/endpoint-models"
    static let singular = "endpointModel"

    var id: String { json["endpointModelId"].text }
    var modelID: String { json["modelId"].text }
    /// The model's name.
    var model: String { json["model"]["modelName"].string ?? modelID }
    /// Below its stage's.
    var address: String { json["apigwResourceUri"].text }
    var code: String { json["endpointModelStatusCode"].text }
    var stateText: String { Format.state(code) }
    var isSettled: Bool { ServingState.isSettled(code) }
    var hasFailed: Bool { ServingState.hasFailed(code) }
    var reason: String? { json["statusReason"].string.flatMap { $0.isEmpty ? nil : $0 } }
    /// `1/2`: how many are ready, of how many there are to be.
    var pods: String { Stages.pods(json) }
    /// Where it answers.
    var url: String? { json["apigwEndpointUri"].string }

    /// `1 vCPU, 2048Mi, 1 GPU`
    var allotment: String {
        let option = json["resourceOptionDetail"]
        let (cpus, gpus) = (option["cpu"].text, option["gpu"].text)
        return "\(cpus.hasSuffix(".0") ? String(cpus.dropLast(2)) : cpus) vCPU, \(option["memory"].text)"
            + (gpus.isEmpty || gpus == "0" ? "" : ", \(gpus) GPU")
    }

    /// `up to 4 pods, cpu at 50 %, none after 10 min without requests`
    var scaling: String {
        var rules: [String] = []
        if json["podAutoScaleEnable"].bool == true {
            let metric = json["scaleMetricCode"].text.prefix { $0 != "_" }.lowercased()
            rules.append("up to \(json["maxPodCount"].text) pods")
            rules.append("\(metric) at \(json["scaleMetricTarget"].text) %")
        }
        if let minutes = json["idleMinutes"].int { rules.append("none after \(minutes) min without requests") }
        return rules.joined(separator: ", ")
    }
}
