import Catalog
import Engine
import FeatureKit
import Foundation
import Resource
import Store
import Web

/// Trainings as a kind: how a request becomes a spec, and a resource its wire form.
struct TrainingType: ResourceType {
    let names = WireNames(kind: .training, singular: "training", collection: "trainings")
    let embeds: [ResourceKind] = [.experiment]
    let store: Store
    let engine: any Engine
    let catalog: Catalog
    let storage: any StorageChecks
    let sources: ClockAndIDs
    let home: String
    let publicURL: @Sendable () -> String
    /// Creates an experiment on the spot, or finds the one of that name.
    let createExperiment: @Sendable (_ name: String, _ description: String?, _ project: String) async throws -> String

    func draft(_ body: TrainingCreate, project: String) async throws -> Draft<TrainingSpec, TrainingStatus> {
        var validator = Validator()
        body.validate(&validator)
        try validator.check()

        let image = try image(body)
        let flavor = try flavor(body, image: image)
        var spec = TrainingSpec(
            experimentID: "", imageID: image.id, flavorID: flavor.id, nodes: body.instanceCount?.value ?? 1,
            source: body.sourceDirUri ?? "", entryPoint: body.entryPoint ?? "",
            hyperparameters: (body.hyperparameterList ?? []).map {
                .init(name: $0.parameterName ?? "", value: $0.parameterValue ?? "")
            },
            datasets: (body.datasetList ?? []).map { .init(name: $0.datasetName ?? "", uri: $0.dataUri ?? "") },
            checkpointInput: body.checkPointInputUri, checkpointOutput: body.checkPointUploadUri,
            modelOutput: body.modelUploadUri ?? "", usesTorchrun: body.useTorchrun ?? false,
            processesPerNode: try processes(body, image: image, flavor: flavor),
            timeoutMinutes: body.timeoutMinutes?.value ?? 43_200, usesLog: body.useLog ?? false,
            dataStorageSize: body.dataStorageSize?.value,
            runName: Training.runName(body.trainingName ?? "", unique: sources.newID()))
        try await engine.check(
            Array(
                repeating: Resources(cpus: flavor.vcpus, memoryMiB: flavor.memoryMiB, gpus: flavor.gpus),
                count: spec.nodes))
        try await checkStorage(spec, project: project)
        // The last step, since it is the only one that leaves something behind.
        spec.experimentID = try await experiment(body, project: project)
        return Draft(
            name: body.trainingName ?? "", description: body.description, tags: body.tags, spec: spec,
            status: TrainingStatus())
    }

    private func image(_ body: TrainingCreate) throws -> Image {
        let id = body.imageId ?? ""
        guard let image = catalog.image(id: id) else {
            throw TakumiError.invalid("imageId", "no image has the id '\(id.excerpt)'; GET /images lists them")
        }
        guard image.type == .training else {
            throw TakumiError.invalid("imageId", "'\(image.name)' is a notebook image; choose a training image")
        }
        guard WireJSON.time(sources.now()).prefix(10) <= image.availabilityEnds else {
            throw TakumiError.invalid(
                "imageId", "'\(image.name)' has not been available since \(image.availabilityEnds)")
        }
        return image
    }

    private func flavor(_ body: TrainingCreate, image: Image) throws -> Flavor {
        let id = body.flavorId ?? ""
        guard let flavor = catalog.flavor(id: id) else {
            throw TakumiError.invalid(
                "flavorId", "no instance type has the id '\(id.excerpt)'; GET /flavors lists them")
        }
        guard (flavor.gpus > 0) == (image.core == .gpu) else {
            throw TakumiError.invalid(
                "flavorId",
                "'\(flavor.name)' has \(flavor.gpus) GPUs and does not fit the \(image.core.rawValue) image '\(image.name)'"
            )
        }
        return flavor
    }

    private func processes(_ body: TrainingCreate, image: Image, flavor: Flavor) throws -> Int? {
        guard body.useTorchrun ?? false else { return nil }
        guard image.framework == .pytorch else {
            throw TakumiError.invalid("useTorchrun", "is for PyTorch images; '\(image.name)' is not one")
        }
        let most = flavor.gpus > 0 ? flavor.gpus : flavor.vcpus
        var validator = Validator()
        validator.range(body.nprocPerNode?.value, "nprocPerNode", 1...max(1, most))
        try validator.check()
        return body.nprocPerNode?.value ?? 1
    }

    private func checkStorage(_ spec: TrainingSpec, project: String) async throws {
        try await storage.checkReadable(spec.source, project: project, field: "sourceDirUri")
        try await storage.checkContains(spec.source, file: spec.entryPoint, project: project, field: "entryPoint")
        for (index, dataset) in spec.datasets.enumerated() {
            try await storage.checkReadable(dataset.uri, project: project, field: "datasetList[\(index)].dataUri")
        }
        if let uri = spec.checkpointInput {
            try await storage.checkReadable(uri, project: project, field: "checkPointInputUri")
        }
        try await storage.checkWritable(spec.modelOutput, project: project, field: "modelUploadUri")
        if let uri = spec.checkpointOutput {
            try await storage.checkWritable(uri, project: project, field: "checkPointUploadUri")
        }
    }

    private func experiment(_ body: TrainingCreate, project: String) async throws -> String {
        guard let id = body.experimentId?.lowercased() else {
            return try await createExperiment(body.experimentName ?? "", body.experimentDescription, project)
        }
        guard try await store.record(ResourceKey(.experiment, id), project: project) != nil else {
            throw TakumiError.invalid(
                "experimentId", "no experiment has the id '\(id.excerpt)'; GET /experiments lists them")
        }
        return id
    }

    func wire(_ trainings: [Training], project: String) async throws -> [TrainingWire] {
        var query = Query(.experiment, project: project)
        query.ids = Array(Set(trainings.map(\.spec.experimentID)))
        let experiments = query.ids.isEmpty ? [] : try await store.records(query)
        let byID = Dictionary(uniqueKeysWithValues: experiments.map { ($0.key.id, $0) })
        let now = sources.now()
        return trainings.map {
            TrainingWire($0, experiment: byID[$0.spec.experimentID], catalog: catalog, publicURL: publicURL(), now: now)
        }
    }

    func isVolatile(phase: String) -> Bool {
        [TrainingPhase.running, .stopInProgress, .completeInProgress, .failInProgress].map(\.rawValue).contains(phase)
    }

    func checkDelete(_ training: Training) async throws {
        guard training.status.phase.isSettled else {
            throw TakumiError(
                .conflict,
                "training \(training.id) is \(training.status.phase.displayName); stop it first, then delete it")
        }
    }

    /// Asks for an end. Asking again while it ends changes nothing.
    /// - Throws: `conflict` where there is nothing to stop.
    func stop(_ training: Training) async throws -> Training {
        if training.status.phase == .stopInProgress { return training }
        guard training.status.phase.isStoppable else {
            throw TakumiError(
                .conflict, "training \(training.id) is \(training.status.phase.displayName) and cannot be stopped")
        }
        var next = training
        next.status.phase = .stopInProgress
        next.status.cause = nil
        if let stored = try await store.updateStatus(next, event: "stop requested") { return stored }
        // The reconciler wrote in between: look again, it may have ended by itself.
        guard let current: Training = try await store.resource(training.key) else { throw Store.missing(training.key) }
        return try await stop(current)
    }

    func willDelete(_ training: Training) async throws {
        try await engine.remove(training.workloadID)
        let logs = "\(home)/\(training.tensorBoardFolder)"
        if FileManager.default.fileExists(atPath: logs) { try FileManager.default.removeItem(atPath: logs) }
    }
}
