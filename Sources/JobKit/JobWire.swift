import Catalog
import FeatureKit
import Foundation
import Resource
import Store

/// The catalog's, beside the wire form of the same name.
package typealias InstanceType = Flavor

/// What the wire forms of trainings and tunings have in common, as the vendor's SDK reads it.
package struct JobWire: Encodable, Sendable {
    package struct Experiment: Encodable, Sendable {
        package var experimentId: String
        package var experimentName: String
        package var experimentStatusCode: String
    }

    package struct Image: Encodable, Sendable {
        package var imageId: String
        package var imageName: String
        package var imageTypeCode: String
        package var coreTypeCode: String
        package var frameworkCode: String
        package var frameworkVersion: String
        package var pythonVersion: String
    }

    package struct Flavor: Encodable, Sendable {
        package var id: String
        package var name: String
        package var vcpus: Int
        package var ram: Int
        package var disk: Int
        package var gpuFlavor: Bool
        package var gpuCount: Int
        package var gpuMemory: Int

        package init(_ flavor: InstanceType) {
            id = flavor.id
            name = flavor.name
            vcpus = flavor.vcpus
            ram = flavor.memoryMiB
            disk = flavor.diskGB
            gpuFlavor = flavor.gpus > 0
            gpuCount = flavor.gpus
            gpuMemory = flavor.gpuMemoryMiB
        }
    }

    package struct Size: Encodable, Sendable { package var storageSize: Int }

    package var experiment: Experiment?
    package var image: Image?
    package var flavor: Flavor?
    package var useTorchrun: Bool
    package var nprocPerNode: Int?
    package var sourceDirUri: String
    package var entryPoint: String
    package var datasetList: [JobBody.Dataset]
    package var modelUploadUri: String
    package var checkPointInputUri: String?
    package var checkPointUploadUri: String?
    package var timeoutMinutes: Int
    package var useLog: Bool
    package var dataStorageList: [Size]
    package var tensorboardAccessUri: String
    package var tensorboardAccessPath: String

    /// - Parameter tensorBoard: the path on the listener at `publicURL`.
    package init(_ spec: JobSpec, experiment: Record?, catalog: Catalog, publicURL: String, tensorBoard: String) {
        self.experiment = experiment.map {
            Experiment(experimentId: $0.key.id, experimentName: $0.metadata.name, experimentStatusCode: $0.phase)
        }
        image = catalog.image(id: spec.imageID).map {
            Image(
                imageId: $0.id, imageName: $0.name, imageTypeCode: $0.type.rawValue, coreTypeCode: $0.core.rawValue,
                frameworkCode: $0.framework.rawValue, frameworkVersion: $0.frameworkVersion,
                pythonVersion: $0.pythonVersion)
        }
        flavor = catalog.flavor(id: spec.flavorID).map(Flavor.init)
        useTorchrun = spec.usesTorchrun
        nprocPerNode = spec.processesPerNode
        sourceDirUri = spec.source
        entryPoint = spec.entryPoint
        datasetList = spec.datasets.map { .init(datasetName: $0.name, dataUri: $0.uri) }
        modelUploadUri = spec.modelOutput
        checkPointInputUri = spec.checkpointInput
        checkPointUploadUri = spec.checkpointOutput
        timeoutMinutes = spec.timeoutMinutes
        useLog = spec.usesLog
        dataStorageList = spec.dataStorageSize.map { [Size(storageSize: $0)] } ?? []
        tensorboardAccessPath = tensorBoard
        tensorboardAccessUri = publicURL + tensorBoard
    }

    /// The experiments of resources, by id.
    package static func experiments(_ ids: [String], project: String, store: Store) async throws -> [String: Record] {
        var query = Query(.experiment, project: project)
        query.ids = Array(Set(ids))
        guard !query.ids.isEmpty else { return [:] }
        return Dictionary(uniqueKeysWithValues: try await store.records(query).map { ($0.key.id, $0) })
    }
}
