import Console
import Engine
import Foundation
import JobKit
import Resource
import Store
import Telemetry

/// A pod as the pages of its stage show it: one that is there, or the last one of a resource that could not start.
struct StagePod: Sendable {
    /// Of the pod, or of the resource whose last pod it was.
    var id: String
    var resourceID: String
    var resource: String
    var isThere: Bool

    /// Ids are long; their beginnings tell a stage's pods apart.
    static func name(_ id: String) -> String { String(id.prefix(8)) }

    func label(_ t: Strings) -> String {
        let name = isThere ? StagePod.name(id) : t("serving.lastFailed")
        return "\(resource) · \(name)"
    }

    static func all(of stage: Stage, store: Store, home: String) async throws -> [StagePod] {
        var query = Query(.stageResource, project: stage.metadata.project)
        query.referring = stage.key
        query.order = .oldest
        let resources: [StageResource] = try await store.records(query).map { try $0.decoded() }
        return resources.flatMap { resource -> [StagePod] in
            let name = resource.metadata.name
            var pods = resource.status.pods.map {
                StagePod(id: $0.id, resourceID: resource.id, resource: name, isThere: true)
            }
            if FileManager.default.fileExists(atPath: FailedLog.path(resource.id, home: home)) {
                pods.append(StagePod(id: resource.id, resourceID: resource.id, resource: name, isThere: false))
            }
            return pods
        }
    }

    func index(_ files: JobFiles) -> LogIndex {
        isThere ? files.index(id, node: 0) : files.index(path: FailedLog.path(id, home: files.home))
    }
}
