import Catalog
import Engine
import Foundation
import JobKit
import Resource
import ServingKit
import Store

/// Turns a resource of a stage into the workload of one of its pods.
struct PodMaker: Sendable {
    let store: Store
    let catalog: Catalog
    let home: String
    /// This program.
    let program: String
    let region: String
    let apiURL: @Sendable () -> String
    /// Reads a model's record, which belongs to another feature.
    let served: @Sendable (Record) throws -> ServedModel

    /// - Throws: `TakumiError` with what is missing.
    func workload(_ pod: String, _ resource: StageResource, _ stage: Stage) async throws -> Workload {
        let key = ResourceKey(.model, resource.spec.modelID)
        guard let record = try await store.record(key) else { throw Store.missing(key) }
        var model = try served(record)
        // The address was made of the name that it had then.
        model.name = resource.spec.path
        let tool = try catalog.serving(model.format.serving, gpu: resource.spec.allotment.gpus > 0)
        return model.pod(
            id: pod, owner: stage.key, project: stage.metadata.project,
            title: "\(resource.spec.path) on stage \(stage.metadata.name)",
            resources: resource.spec.allotment.resources,
            settings: PodSettings(
                program: program, worker: try catalog.workerProgram.place(home: home),
                image: try ImageReference(tool, home: home), region: region, apiURL: apiURL()))
    }
}

/// The log of a pod that could not start, kept as long as its resource: the pod itself is removed.
enum FailedLog {
    static func path(_ resource: String, home: String) -> String { "\(home)/logs/pods/\(resource)" }

    static func keep(_ pod: String, of resource: String, home: String) {
        let files = FileManager.default
        let path = path(resource, home: home)
        try? files.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try? files.removeItem(atPath: path)
        try? files.copyItem(atPath: WorkloadFolder(home: home, id: pod).task(0).log, toPath: path)
    }

    static func forget(_ resource: String, home: String) {
        try? FileManager.default.removeItem(atPath: path(resource, home: home))
    }
}
