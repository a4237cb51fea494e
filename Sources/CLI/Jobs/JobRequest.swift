/// The body of a request for a training, a tuning or a template: what is there already, and the settings over it.
struct JobRequest {
    var fields: [String: JSONValue] = [:]

    init() {}

    /// What to say of a copy that was not sent elsewhere.
    static let sameOutput = "its model goes where the original's is; for another place: --model-output"

    /// The settings of one that exists (C-6).
    init(copying item: JSONValue) {
        for field in Self.jobFields + Self.searchFields + ["description", "hyperparameterList", "tagList"] {
            set(field, item[field])
        }
        // What a request names by id, an answer shows whole; a template's is as its request was.
        set("experimentId", item["experiment"]["experimentId"])
        set("imageId", item["image"]["imageId"])
        set("flavorId", item["flavor"]["id"])
        set("algorithmId", item["algorithm"]["algorithmId"])
        set("dataStorageSize", item["dataStorageList"].array?.first?["storageSize"])
        if let objective = item["objectiveMetricName"].string {
            set("objectiveMetric", JSONValue.object(["name": .string(objective)]))
        }
    }

    private static let jobFields = [
        "experimentId", "experimentName", "experimentDescription", "imageId", "flavorId", "instanceCount",
        "dataStorageSize", "algorithmId", "sourceDirUri", "entryPoint", "datasetList", "checkPointInputUri",
        "checkPointUploadUri", "modelUploadUri", "timeoutMinutes", "useLog", "useTorchrun", "nprocPerNode",
    ]

    var json: JSONValue { .object(fields) }

    /// Sets what has a value.
    mutating func set(_ field: String, _ value: JSONValue?) {
        if let value, !value.isNull { fields[field] = value }
    }

    mutating func set(_ field: String, _ value: String?) { set(field, JSONValue.string(value)) }

    /// Everything that the options say, names looked up and places as URIs.
    mutating func apply(_ settings: JobSettings, _ program: JobProgram, _ session: Session) async throws {
        var settings = settings
        set("sourceDirUri", try await settings.place(with: program.source, session))
        set("entryPoint", program.entryPoint)
        apply(settings)
        try await resolve(settings, session)
    }

    /// Everything of the settings but what has to be looked up. A pair replaces the one of its name.
    mutating func apply(_ settings: JobSettings) {
        set("description", settings.description)
        set(nodes: settings.nodes, parallel: nil)
        set("checkPointInputUri", settings.checkpointInput)
        set("checkPointUploadUri", settings.checkpointOutput)
        set("modelUploadUri", settings.modelOutput)
        // The server refuses what is beyond its limit; a product that is no number would end us before.
        set("timeoutMinutes", JSONValue.int(settings.timeout.map { max(-1_000_000, min(1_000_000, $0)) * 60 }))
        set("useTorchrun", settings.torchrun.map { JSONValue.bool($0) })
        set("nprocPerNode", JSONValue.int(settings.nproc))
        set("dataStorageSize", JSONValue.int(settings.dataStorage))
        set("useLog", settings.useLog.map { JSONValue.bool($0) })
        merge(settings.data, into: "datasetList", "datasetName", "dataUri")
        merge(settings.tag, into: "tagList", "tagKey", "tagValue")
    }

    mutating func apply(_ parameters: Hyperparameters) {
        merge(parameters.hp, into: "hyperparameterList", "parameterName", "parameterValue")
    }

    private mutating func merge(_ pairs: [KeyValue], into list: String, _ key: String, _ value: String) {
        guard !pairs.isEmpty else { return }
        let old = (fields[list]?.array ?? []).map { KeyValue(key: $0[key].text, value: $0[value].text) }
        let merged = TagChange.applied(to: old, setting: pairs, removing: [])
        fields[list] = .array(merged.map { .object([key: .string($0.key), value: .string($0.value)]) })
    }
}

// MARK: - Nodes

extension JobRequest {
    private var parallel: Int { max(1, fields["parallelTrialCount"]?.int ?? 1) }
    /// Of a training, or of each trial; nil where nothing says it.
    private var nodes: Int? { fields["instanceCount"]?.int.map { max(1, $0 / parallel) } }

    /// The API takes instances, which are nodes × parallel trials.
    mutating func set(nodes: Int?, parallel: Int?) {
        let nodes = nodes ?? self.nodes
        if let parallel { fields["parallelTrialCount"] = .int(Int64(parallel)) }
        if let nodes { fields["instanceCount"] = .int(Int64(nodes * self.parallel)) }
    }

    /// Leaves out what is only for tunings.
    mutating func dropSearch() {
        let nodes = nodes
        for field in Self.searchFields { fields[field] = nil }
        set(nodes: nodes, parallel: nil)
    }
}

// MARK: - What is missing

extension JobRequest {
    /// The options of what no job can do without, where neither they nor this request give it.
    func missing(_ settings: JobSettings, _ program: JobProgram) -> [String] {
        missing([
            ("--source", "sourceDirUri", program.source), ("--entry-point", "entryPoint", program.entryPoint),
            ("--image", "imageId", settings.image), ("--instance", "flavorId", settings.instance),
            ("--model-output", "modelUploadUri", settings.modelOutput),
        ])
    }

    func missing(_ needed: [(option: String, field: String, given: String?)]) -> [String] {
        needed.filter { $0.given == nil && fields[$0.field] == nil }.map(\.option)
    }

    /// - Throws: a usage `CommandFailure` with the options that are missing still.
    func checkComplete(_ what: String, _ missing: [String], _ template: String?) throws {
        guard !missing.isEmpty else { return }
        let source = template.map { ", which template '\($0)' does not give" } ?? ""
        throw CommandFailure.usage("\(what) needs \(missing.joined(separator: ", "))\(source)")
    }

    /// `settings` with the experiment that is taken where nobody names one.
    func inExperiment(_ settings: JobSettings) -> JobSettings {
        var settings = settings
        if fields["experimentId"] == nil, fields["experimentName"] == nil {
            settings.experiment = settings.experiment ?? "default"
        }
        return settings
    }
}

// MARK: - Names

extension JobRequest {
    /// Looks up what the settings name: image, instance type, experiment.
    /// - Throws: one `CommandFailure` with every name that means nothing.
    mutating func resolve(_ settings: JobSettings, _ session: Session) async throws {
        var problems: [String] = []
        func attempt<T>(_ body: () async throws(CommandFailure) -> T) async -> T? {
            do { return try await body() } catch {
                problems += error.lines
                return nil
            }
        }
        var (image, flavor): (JSONValue?, JSONValue?)
        if let word = settings.image {
            let images =
                try await session.api.get("/images", [("groupTypeCodeList", "TRAINING")])["imageList"].array ?? []
            image = await attempt { () throws(CommandFailure) in try Catalog.image(word, in: images) }
            problems +=
                image.flatMap { Catalog.refusal($0, option: "--image", name: $0["imageName"].text) }.map { [$0] } ?? []
            set("imageId", image?["imageId"])
        }
        if let word = settings.instance {
            let flavors = try await session.api.get("/flavors")["flavorList"].array ?? []
            flavor = await attempt { () throws(CommandFailure) in try Catalog.flavor(word, in: flavors) }
            problems +=
                flavor.flatMap { Catalog.refusal($0, option: "--instance", name: $0["name"].text) }.map { [$0] } ?? []
            set("flavorId", flavor?["id"])
        }
        if problems.isEmpty, let image, let flavor { problems += Catalog.misfits(image, flavor, settings) }
        if !problems.isEmpty { throw CommandFailure(problems) }
        if let experiment = settings.experiment { try await resolve(experiment: experiment, session) }
    }

    /// One that exists goes by its id; a new name is left for the server to make one of.
    private mutating func resolve(experiment: String, _ session: Session) async throws {
        fields["experimentId"] = nil
        fields["experimentName"] = nil
        if Session.isID(experiment) {
            return set("experimentId", Experiments.id(try await session.find(Experiments.self, experiment)))
        }
        let listed = try await session.api.get(Experiments.path, [("experimentNameList", experiment)])
        let found = Experiments.list(listed).filter { Experiments.name($0) == experiment }
        if found.count > 1 { throw Session.ambiguous(Experiments.self, experiment, found) }
        if let only = found.first {
            set("experimentId", Experiments.id(only))
        } else {
            set("experimentName", experiment)
        }
    }
}
