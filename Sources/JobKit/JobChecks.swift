import Catalog
import Engine
import FeatureKit
import Foundation
import Resource
import Store
import Web

/// Checks a job against what there is: images, instance types, this machine, storage, experiments.
package struct JobChecks: Sendable {
    package let catalog: Catalog
    package let engine: any Engine
    package let storage: any StorageChecks
    private let store: Store
    private let sources: ClockAndIDs
    /// Creates an experiment on the spot, or finds the one of that name.
    private let createExperiment:
        @Sendable (_ name: String, _ description: String?, _ project: String) async throws -> String

    package init(
        store: Store, engine: any Engine, catalog: Catalog, storage: any StorageChecks, sources: ClockAndIDs,
        createExperiment: @escaping @Sendable (String, String?, String) async throws -> String
    ) {
        self.store = store
        self.engine = engine
        self.catalog = catalog
        self.storage = storage
        self.sources = sources
        self.createExperiment = createExperiment
    }

    /// - Parameter nodes: of one gang, which a tuning has several of.
    /// - Throws: with the field, the value and the remedy of the first thing that does not fit.
    package func spec(_ body: JobBody, nodes: Int, project: String) async throws -> JobSpec {
        let image = try image(body.imageId, for: .training)
        let flavor = try flavor(body.flavorId, fitting: image)
        let spec = JobSpec(
            imageID: image.id, flavorID: flavor.id, nodes: nodes, source: body.sourceDirUri ?? "",
            entryPoint: body.entryPoint ?? "",
            datasets: (body.datasetList ?? []).map { .init(name: $0.datasetName ?? "", uri: $0.dataUri ?? "") },
            checkpointInput: body.checkPointInputUri, checkpointOutput: body.checkPointUploadUri,
            modelOutput: body.modelUploadUri ?? "", usesTorchrun: body.useTorchrun ?? false,
            processesPerNode: try processes(body, image: image, flavor: flavor),
            timeoutMinutes: body.timeoutMinutes?.value ?? 43_200, usesLog: body.useLog ?? false,
            dataStorageSize: body.dataStorageSize?.value)
        try await engine.check(
            Array(
                repeating: Resources(cpus: Double(flavor.vcpus), memoryMiB: flavor.memoryMiB, gpus: flavor.gpus),
                count: nodes))
        try await checkStorage(spec, project: project)
        return spec
    }

    /// - Throws: where it is not there, not for this, or not available any longer.
    package func image(_ id: String?, for type: Image.ImageType) throws -> Image {
        let id = id ?? ""
        guard let image = catalog.image(id: id) else {
            throw TakumiError.invalid("imageId", "no image has the id '\(id.excerpt)'; GET /images lists them")
        }
        guard image.type == type else {
            let (other, wanted) = type == .training ? ("notebook", "training") : ("training", "notebook")
            throw TakumiError.invalid("imageId", "'\(image.name)' is a \(other) image; choose a \(wanted) image")
        }
        guard WireJSON.time(sources.now()).prefix(10) <= image.availabilityEnds else {
            throw TakumiError.invalid(
                "imageId", "'\(image.name)' has not been available since \(image.availabilityEnds)")
        }
        return image
    }

    /// - Parameter image: nil where it is still to be chosen.
    /// - Throws: where it is not there, or of another core type than the image.
    package func flavor(_ id: String?, fitting image: Image?) throws -> Flavor {
        let id = id ?? ""
        guard let flavor = catalog.flavor(id: id) else {
            throw TakumiError.invalid(
                "flavorId", "no instance type has the id '\(id.excerpt)'; GET /flavors lists them")
        }
        guard let image else { return flavor }
        guard (flavor.gpus > 0) == (image.core == .gpu) else {
            throw TakumiError.invalid(
                "flavorId",
                "'\(flavor.name)' has \(flavor.gpus) GPUs and does not fit the \(image.core.rawValue) image '\(image.name)'"
            )
        }
        return flavor
    }

    private func processes(_ body: JobBody, image: Image, flavor: Flavor) throws -> Int? {
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

    private func checkStorage(_ spec: JobSpec, project: String) async throws {
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

    /// The experiment that a body names, made on the spot if need be: the last step, since it leaves something behind.
    package func experiment(_ body: JobBody, project: String) async throws -> String {
        guard let id = body.experimentId?.lowercased() else {
            return try await createExperiment(body.experimentName ?? "", body.experimentDescription, project)
        }
        guard try await store.record(ResourceKey(.experiment, id), project: project) != nil else {
            throw TakumiError.invalid(
                "experimentId", "no experiment has the id '\(id.excerpt)'; GET /experiments lists them")
        }
        return id
    }
}
