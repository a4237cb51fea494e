import Catalog
import FeatureKit
import Foundation
import JobKit
import Resource
import Store
import Web

/// What a training has to say of itself, as the vendor's SDK reads it.
struct OwnTrainingWire: Encodable, Sendable {
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
    /// How the interpreter was started (docs/warm-images.md).
    var startReason: String?
    var trainingTypeCode = "NORMAL"
    var instanceCount: Int
    var hyperparameterList: [JobBody.Parameter]
    var tagList: [WireTag]

    init(_ training: Training, now: Date) {
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
        startReason = status.start
        instanceCount = spec.job.nodes
        hyperparameterList = spec.hyperparameters.map { .init(parameterName: $0.name, parameterValue: $0.value) }
        tagList = metadata.tags.map(WireTag.init)
    }
}

/// As one flat object.
struct TrainingWire: Encodable, Sendable {
    var own: OwnTrainingWire
    var job: JobWire

    init(_ training: Training, experiment: Record?, catalog: Catalog, publicURL: String, now: Date) {
        own = OwnTrainingWire(training, now: now)
        job = JobWire(
            training.spec.job, experiment: experiment, catalog: catalog, publicURL: publicURL,
            tensorBoard: "/tensorboard/\(training.metadata.project)/trainings/\(training.id)/")
    }

    func encode(to encoder: any Encoder) throws {
        try own.encode(to: encoder)
        try job.encode(to: encoder)
    }
}
