import ArgumentParser

/// `--model iris,pods=1-4,cpu=0.5,memory=1Gi`: a model to serve, and what each of its pods gets.
struct ModelOption: Equatable, Sendable {
    struct Scale: Equatable, Sendable {
        /// `CPU_UTILIZATION`
        var metric: String
        /// In percent of what a pod gets.
        var target: Int
    }

    /// Name or id.
    var model: String
    var cpu: String?
    var memory: String?
    var gpu: String?
    var pods: CountRange?
    var scale: Scale?
    /// Minutes.
    var idle: Int?
    var description: String?

    static let form = "NAME,cpu=0.5,memory=1Gi,gpu=1,pods=1-4,scale=cpu:50,idle=10,description=TEXT"
    private static let keys = ["cpu", "memory", "gpu", "pods", "scale", "idle", "description"]

    /// - Throws: a `ValidationError` that names the part that is wrong.
    init(_ text: String) throws {
        var text = text
        // A description is a sentence and may have commas: it is the last part and goes on to the end.
        let parts = text.split(separator: ",description=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 { (text, description) = (String(parts[0]), String(parts[1])) }
        var words = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmed }
        model = words.removeFirst()
        if model.isEmpty || model.contains("=") {
            throw ValidationError("--model \(text): the model comes first; write \(Self.form)")
        }
        var seen: Set<String> = []
        for word in words { try take(word, &seen) }
        if scale != nil, pods?.isFixed ?? true {
            throw ValidationError("--model \(model): scale needs a range of pods; add pods=1-4, or leave scale out")
        }
    }

    private mutating func take(_ word: String, _ seen: inout Set<String>) throws {
        guard let pair = KeyValue(argument: word), Self.keys.contains(pair.key) else {
            throw ValidationError(
                "--model \(model): '\(word)' is none of \(Self.keys.joined(separator: ", ")); write \(Self.form) (a model with a comma in its name goes by its id)"
            )
        }
        if pair.value.isEmpty { throw ValidationError("--model \(model): \(pair.key)= has no value") }
        if !seen.insert(pair.key).inserted {
            throw ValidationError("--model \(model): \(pair.key) is given twice; give it once")
        }
        switch pair.key {
        case "cpu": cpu = pair.value
        case "memory": memory = pair.value
        case "gpu": gpu = pair.value
        case "pods": pods = try CountRange(pair.value, of: "--model \(model): pods", limit: 100)
        case "scale": scale = try scale(pair.value)
        case "idle": idle = try number(pair, 1...10_080)
        default: description = pair.value
        }
    }

    private func number(_ pair: KeyValue, _ range: ClosedRange<Int>) throws -> Int {
        guard let number = Int(pair.value), range.contains(number) else {
            throw ValidationError(
                "--model \(model): \(pair.key)=\(pair.value) is out of range; use \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    private func scale(_ text: String) throws -> Scale {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let metrics = ["cpu": "CPU_UTILIZATION", "memory": "MEMORY_UTILIZATION"]
        guard let metric = metrics[parts[0].lowercased()], parts.count <= 2,
            let target = parts.count == 2 ? Int(parts[1]) : 50, (1...100).contains(target)
        else {
            throw ValidationError(
                "--model \(model): scale=\(text) is not understood; write scale=cpu:50 or scale=memory:50, in percent of what a pod gets"
            )
        }
        return Scale(metric: metric, target: target)
    }
}

extension ModelOption {
    /// As the API takes it.
    /// - Parameter id: the model's.
    func wire(model id: String) -> JSONValue {
        let allotment = JSONValue.fields(["cpu": .string(cpu), "memory": .string(memory), "gpu": .string(gpu)])
        let scale = scale ?? Scale(metric: "CPU_UTILIZATION", target: 50)
        let pods = pods ?? CountRange(1)
        return .fields([
            "modelId": .string(id), "resourceOptionDetail": allotment == .object([:]) ? nil : allotment,
            "podCount": .int(pods.least), "podAutoScaleEnable": .bool(!pods.isFixed),
            "scaleMetricCode": pods.isFixed ? nil : .string(scale.metric),
            "scaleMetricTarget": pods.isFixed ? nil : .int(scale.target),
            "maxPodCount": pods.isFixed ? nil : .int(pods.most), "idleMinutes": .int(idle),
            "description": .string(description),
        ])
    }
}
