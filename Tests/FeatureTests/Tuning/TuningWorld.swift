import Catalog
import Engine
import FeatureKit
import Foundation
import Gateway
import JobKit
import Resource
import Store
import Support

@testable import ExperimentsFeature
@testable import TuningFeature

/// An engine that takes nothing where a test says so, and says that others wait.
actor TuningEngine: Engine {
    var refusal: TakumiError?
    var isShortOfMemory = false
    var active: Set<String> = []
    private(set) var launched: [String] = []
    private(set) var stopped: [String] = []
    private(set) var removed: [String] = []

    func change(_ change: @Sendable (isolated TuningEngine) -> Void) { change(self) }

    func launch(_ workload: Workload) throws {
        if let refusal { throw refusal }
        launched.append(workload.id)
        active.insert(workload.id)
    }

    func observe(_ id: String) -> Observation? { active.contains(id) ? Observation(tasks: [nil]) : nil }
    func stop(_ id: String) { stopped.append(id) }
    func remove(_ id: String) { removed.append(id) }
    func activeIDs() -> [String] { Array(active) }
    func check(_ tasks: [Resources]) {}

    func capacity() -> Capacity {
        var capacity = Capacity(cpus: 8, memoryMiB: 16_384, gpus: 0)
        capacity.isShortOfMemory = isShortOfMemory
        return capacity
    }
}

/// A tuning in a store of its own, with an engine that does what a test lets it.
final class TuningWorld: Sendable {
    let store: Store
    let engine = TuningEngine()
    let samplers: Samplers
    let reconciler: TuningReconciler
    let files: TrialFiles
    let key = ResourceKey(.tuning, "search")
    private let folder: TemporaryFolder

    init() throws {
        (store, folder) = (try Store(path: nil), try TemporaryFolder())
        let catalog = try Catalog()
        samplers = Samplers(
            engine: engine, catalog: catalog, client: PortClient(client: .shared), home: folder.path, grace: .zero)
        files = TrialFiles(store: store, home: folder.path)
        reconciler = TuningReconciler(
            store: store, engine: engine,
            environments: JobEnvironments(catalog: catalog, home: folder.path, region: "kr1", apiURL: { "" }),
            samplers: samplers, files: files, sources: ClockAndIDs())
        self.catalog = catalog
    }

    private let catalog: Catalog

    /// One whose first trials were decided, and not started yet.
    func add(trials: Int, _ change: (inout TuningSpec) -> Void = { _ in }) async throws {
        let image = catalog.images.first { $0.type == .training && $0.core == .cpu }
        var spec = TuningSpec(
            experimentID: "e",
            job: JobSpec(
                imageID: image?.id ?? "", flavorID: catalog.flavors[0].id, source: "obs://h/v1/a/s", entryPoint: "t.py",
                modelOutput: "obs://h/v1/a/m"),
            strategy: .random, randomState: 1, parameters: [], metrics: ["m"], metricPattern: "(m)=(.*)",
            objective: Objective(metric: "m", direction: .maximize, goal: nil, strategy: .max), maxFailedTrials: trials,
            maxTrials: trials, parallelTrials: max(1, trials), earlyStopping: nil, maxDuration: nil, runName: "r")
        change(&spec)
        var status = TuningStatus()
        status.phase = .createInProgress
        var batch = Batch()
        for number in 0..<trials {
            status.counts.add(.created)
            try batch.insert(
                Trial(
                    metadata: metadata(.trial, "trial-\(number + 1)"),
                    spec: TrialSpec(tuningID: key.id, number: number + 1, parameters: []), status: TrialStatus()))
        }
        try await store.insert(
            Experiment(
                metadata: metadata(ResourceKind("experiment"), "e"), spec: ExperimentSpec(), status: ExperimentStatus())
        )
        try await store.insert(Tuning(metadata: metadata(.tuning, key.id), spec: spec, status: status))
        _ = try await store.apply(batch)
    }

    func addSucceeded(number: Int, firstMean: Double? = nil) async throws {
        var status = TrialStatus()
        (status.phase, status.firstMean) = (.succeeded, firstMean)
        try await store.insert(
            Trial(
                metadata: metadata(.trial, Trial.name(number)),
                spec: TrialSpec(tuningID: key.id, number: number, parameters: []), status: status))
    }

    /// Every trial from now on.
    func refuse(_ cause: String) async {
        await engine.change { $0.refusal = TakumiError(.invalid, cause) }
    }

    private func metadata(_ kind: ResourceKind, _ id: String) -> Metadata {
        Metadata(key: ResourceKey(kind, id), project: "default", name: id, createdAt: Date())
    }

    func tuning() async throws -> Tuning {
        guard let tuning: Tuning = try await store.resource(key) else { throw Store.missing(key) }
        return tuning
    }
}
