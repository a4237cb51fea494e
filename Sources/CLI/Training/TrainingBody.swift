/// The body of a request for a training: what is there already, and the settings over it.
struct TrainingBody {
    private(set) var fields: [String: JSONValue]

    init(_ fields: [String: JSONValue] = [:]) {
        self.fields = fields
        self.fields["trainingTypeCode"] = .string("NORMAL")
    }

    /// The settings of an existing training (C-6).
    init(copying training: JSONValue) {
        self.init()
        for field in [
            "description", "instanceCount", "sourceDirUri", "entryPoint", "hyperparameterList", "datasetList",
            "checkPointInputUri", "checkPointUploadUri", "modelUploadUri", "timeoutMinutes", "useLog", "useTorchrun",
            "nprocPerNode", "tagList",
        ] {
            set(field, training[field])
        }
        set("experimentId", training["experiment"]["experimentId"])
        set("imageId", training["image"]["imageId"])
        set("flavorId", training["flavor"]["id"])
        set("algorithmId", training["algorithm"]["algorithmId"])
        set("dataStorageSize", training["dataStorageList"].array?.first?["storageSize"])
    }

    var json: JSONValue { .object(fields) }

    /// Sets what has a value.
    mutating func set(_ field: String, _ value: JSONValue?) {
        if let value, !value.isNull { fields[field] = value }
    }

    mutating func set(_ field: String, _ value: String?) { set(field, JSONValue.string(value)) }

    /// Everything of the settings but what has to be looked up. A pair replaces the one of its name.
    mutating func apply(_ settings: TrainingSettings) {
        set("description", settings.description)
        set("instanceCount", JSONValue.int(settings.nodes))
        set("checkPointInputUri", settings.checkpointInput)
        set("checkPointUploadUri", settings.checkpointOutput)
        set("modelUploadUri", settings.modelOutput)
        set("timeoutMinutes", JSONValue.int(settings.timeout.map { $0 * 60 }))
        set("useTorchrun", settings.torchrun.map { JSONValue.bool($0) })
        set("nprocPerNode", JSONValue.int(settings.nproc))
        set("dataStorageSize", JSONValue.int(settings.dataStorage))
        set("useLog", settings.useLog.map { JSONValue.bool($0) })
        merge(settings.hp, into: "hyperparameterList", "parameterName", "parameterValue")
        merge(settings.data, into: "datasetList", "datasetName", "dataUri")
        merge(settings.tag, into: "tagList", "tagKey", "tagValue")
    }

    private mutating func merge(_ pairs: [KeyValue], into list: String, _ key: String, _ value: String) {
        guard !pairs.isEmpty else { return }
        let old = (fields[list]?.array ?? []).map { KeyValue(key: $0[key].text, value: $0[value].text) }
        let merged = TagChange.applied(to: old, setting: pairs, removing: [])
        fields[list] = .array(merged.map { .object([key: .string($0.key), value: .string($0.value)]) })
    }

    /// Looks up what the settings name: image, instance type, experiment.
    /// - Throws: one `CommandFailure` with every name that means nothing.
    mutating func resolve(_ settings: TrainingSettings, _ session: Session) async throws {
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
