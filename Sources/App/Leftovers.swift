import Engine
import Foundation
import Logging
import Resource
import ServiceLifecycle
import Store

/// Once after a start, removes the folders of workloads whose resource is gone: a server that is killed while it deletes
/// something has taken the resource away first.
struct Leftovers: Service {
    let store: Store
    let engine: any Engine
    let home: String
    let logger: Logger

    func run() async throws {
        do {
            // First comes what people wait for.
            try await cancelWhenGracefulShutdown {
                try await Task.sleep(for: .seconds(20))
                try await remove()
            }
        } catch is CancellationError {}
        // A service that returns ends all others.
        try? await gracefulShutdown()
    }

    func remove() async throws {
        let active = Set(await engine.activeIDs())
        let ids = (try? FileManager.default.contentsOfDirectory(atPath: "\(home)/workloads")) ?? []
        for id in ids where !active.contains(id) && id != "active" {
            let workload = JSONFile.read(Workload.self, at: WorkloadFolder(home: home, id: id).workload)
            do {
                // Without its file it is what a removal has left that was cut off itself.
                if let workload, try await store.record(workload.owner) != nil { continue }
                try await engine.remove(id)
            } catch let error where !(error is CancellationError) {
                logger.warning("what is left of workload \(id) cannot be removed: \(error)")
            }
        }
    }
}
