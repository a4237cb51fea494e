import Catalog
import FeatureKit
import Foundation
import Resource
import Store
import Web

/// A training as the vendor's SDK reads it.
struct TrainingWire: Encodable, Sendable {
    struct Experiment: Encodable, Sendable {
        var experimentId: String
        var experimentName: String
        var experimentStatusCode: String
    }

    struct Image: Encodable, Sendable {
        var imageId: String
        var imageName: String
        var imageTypeCode: String
        var coreTypeCode: String
        var frameworkCode: String
        var frameworkVersion: String
        var pythonVersion: String
    }

    struct Flavor: Encodable, Sendable {
        var id: String
        var name: String
        var vcpus: Int
        var ram: Int
        var disk: Int
        var gpuFlavor: Bool
        var gpuCount: Int
        var gpuMemory: Int
    }

    struct Size: Encodable, Sendable { var storageSize: Int }

    var trainingId: String
    var trainingName: String
    var trainingStatusCode: String
    var statusReason: String?
    var description: String
    var appKey: String
    var createdDatetime: String
    var startedDatetime: String?
    var endedDatetime: String?
    var elapsedTimeSeconds: Int
    var exitCode: Int?
    var isolation: String?
    var trainingTypeCode = "NORMAL"
    var experiment: Experiment?
    var image: Image?
    var flavor: Flavor?
    var instanceCount: Int
    var useTorchrun: Bool
    var nprocPerNode: Int?
    var sourceDirUri: String
    var entryPoint: String
    var hyperparameterList: [TrainingCreate.Parameter]
    var datasetList: [TrainingCreate.Dataset]
    var modelUploadUri: String
    var checkPointInputUri: String?
    var checkPointUploadUri: String?
    var timeoutMinutes: Int
    var useLog: Bool
    var dataStorageList: [Size]
    var tensorboardAccessUri: String
    var tensorboardAccessPath: String
    var tagList: [WireTag]

    init(_ training: Training, experiment: Record?, catalog: Catalog, publicURL: String, now: Date) {
        let (metadata, spec, status) = (training.metadata, training.spec, training.status)
        trainingId = training.id
        trainingName = metadata.name
        trainingStatusCode = status.phase.rawValue
        statusReason = status.cause
        description = metadata.description
        appKey = metadata.project
        createdDatetime = WireJSON.time(metadata.createdAt)
        startedDatetime = status.startedAt.map(WireJSON.time)
        endedDatetime = status.endedAt.map(WireJSON.time)
        elapsedTimeSeconds = status.elapsed(at: now)
        exitCode = status.exitCode
        isolation = status.isolation
        self.experiment = experiment.map {
            Experiment(experimentId: $0.key.id, experimentName: $0.metadata.name, experimentStatusCode: $0.phase)
        }
        image = catalog.image(id: spec.imageID).map {
            Image(
                imageId: $0.id, imageName: $0.name, imageTypeCode: $0.type.rawValue, coreTypeCode: $0.core.rawValue,
                frameworkCode: $0.framework.rawValue, frameworkVersion: $0.frameworkVersion,
                pythonVersion: $0.pythonVersion)
        }
        flavor = catalog.flavor(id: spec.flavorID).map {
            Flavor(
                id: $0.id, name: $0.name, vcpus: $0.vcpus, ram: $0.memoryMiB, disk: $0.diskGB, gpuFlavor: $0.gpus > 0,
                gpuCount: $0.gpus, gpuMemory: $0.gpuMemoryMiB)
        }
        instanceCount = spec.nodes
        useTorchrun = spec.usesTorchrun
        nprocPerNode = spec.processesPerNode
        sourceDirUri = spec.source
        entryPoint = spec.entryPoint
        hyperparameterList = spec.hyperparameters.map { .init(parameterName: $0.name, parameterValue: $0.value) }
        datasetList = spec.datasets.map { .init(datasetName: $0.name, dataUri: $0.uri) }
        modelUploadUri = spec.modelOutput
        checkPointInputUri = spec.checkpointInput
        checkPointUploadUri = spec.checkpointOutput
        timeoutMinutes = spec.timeoutMinutes
        useLog = spec.usesLog
        dataStorageList = spec.dataStorageSize.map { [Size(storageSize: $0)] } ?? []
        tensorboardAccessPath = "/tensorboard/\(metadata.project)/trainings/\(training.id)/"
        tensorboardAccessUri = publicURL + tensorboardAccessPath
        tagList = metadata.tags.map(WireTag.init)
    }
}
