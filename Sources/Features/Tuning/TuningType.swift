import Catalog
import Engine
import FeatureKit
import Foundation
import JobKit
import Resource
import Storage
import Store
import Telemetry
import Web

/// Tunings as a kind: how a request becomes a spec, and a resource its wire form.
struct TuningType: ResourceType {
    let names = WireNames(
        kind: .tuning, singular: "hyperparameterTuning", collection: "hyperparameter-tunings")
    let embeds: [ResourceKind] = [.experiment]
    let store: Store
    let checks: JobChecks
    let templates: JobTemplates
    let sources: ClockAndIDs
    let home: String
    let publicURL: @Sendable () -> String
    /// What is remembered of one beside the store.
    let forget: @Sendable (Tuning) async -> Void
    var catalog: Catalog { checks.catalog }

    func draft(_ body: TuningCreate, project: String) async throws -> Draft<TuningSpec, TuningStatus> {
        let checked = try body.validated()
        let job = try await checks.spec(body.job, nodes: body.nodes, project: project)
        let search = body.search
        let combinations = SearchParameter.combinations(checked.parameters)
        let spec = TuningSpec(
            experimentID: try await checks.experiment(body.job, project: project), job: job,
            strategy: checked.strategy,
            // Without one a fresh state is drawn, and kept: a restart goes on as it would have.
            randomState: search.tuningStrategyRandomState?.value ?? Int.random(in: 0...4_294_967_295),
            parameters: checked.parameters, metrics: checked.metrics,
            metricPattern: search.metricRegex ?? MetricPattern.standard, objective: checked.objective,
            maxFailedTrials: search.maxFailedTrialCount?.value
                ?? min(3, search.maxTrialCount?.value ?? combinations ?? 3),
            maxTrials: search.maxTrialCount?.value, parallelTrials: search.parallelTrials,
            earlyStopping: checked.earlyStopping, maxDuration: search.maxDurationSeconds?.value,
            runName: JobSpec.folderName(body.name, unique: sources.newID()))
        return Draft(
            name: body.name, description: body.description, tags: body.tags, spec: spec, status: TuningStatus())
    }

    func wire(_ tunings: [Tuning], project: String) async throws -> [TuningWire] {
        let experiments = try await JobWire.experiments(
            tunings.map(\.spec.experimentID), project: project, store: store)
        var query = Query(.trial, project: project)
        query.ids = tunings.compactMap { $0.status.best?.id }
        let best: [Trial] = query.ids.isEmpty ? [] : try await store.records(query).map { try $0.decoded() }
        let byID = Dictionary(uniqueKeysWithValues: best.map { ($0.id, $0) })
        let now = sources.now()
        return tunings.map { tuning in
            TuningWire(
                tuning, best: tuning.status.best.flatMap { byID[$0.id] },
                experiment: experiments[tuning.spec.experimentID], catalog: catalog, publicURL: publicURL(), now: now)
        }
    }

    func isVolatile(phase: String) -> Bool {
        TuningPhase(rawValue: phase).map { !$0.isSettled && $0 != .createRequested } ?? false
    }

    func checkDelete(_ tuning: Tuning) async throws {
        guard tuning.status.phase.isSettled else {
            throw TakumiError(
                .conflict,
                "hyperparameter tuning \(tuning.id) is \(tuning.status.phase.displayName); stop it first, then delete it"
            )
        }
    }

    /// Asks for an end. Asking again while it ends changes nothing.
    /// - Throws: `conflict` where there is nothing to stop.
    func stop(_ tuning: Tuning) async throws -> Tuning {
        if tuning.status.phase == .stopInProgress { return tuning }
        guard tuning.status.phase.isStoppable else {
            throw TakumiError(
                .conflict,
                "hyperparameter tuning \(tuning.id) is \(tuning.status.phase.displayName) and cannot be stopped")
        }
        var next = tuning
        next.status.phase = .stopInProgress
        next.status.cause = nil
        if let stored = try await store.updateStatus(next, event: "stop requested") { return stored }
        // The reconciler wrote in between: look again, it may have ended by itself.
        guard let current: Tuning = try await store.resource(tuning.key) else { throw Store.missing(tuning.key) }
        return try await stop(current)
    }

    struct Resumption: Decodable, Sendable {
        var maxTrialCount: WholeNumber?
        var maxFailedTrialCount: WholeNumber?
        var maxDurationSeconds: WholeNumber?
    }

    /// Raises the limits of a tuning that has ended, which then goes on with what it knows.
    func resume(_ tuning: Tuning, _ body: Resumption) async throws -> Tuning {
        let phase = tuning.status.phase
        guard phase.isSettled, phase.next.contains(.running) else {
            throw TakumiError(
                .conflict,
                "hyperparameter tuning \(tuning.id) is \(phase.displayName); only one that has ended can go on")
        }
        // A finished one outlives its experiment; one that runs does not.
        guard try await store.record(ResourceKey(.experiment, tuning.spec.experimentID)) != nil else {
            throw TakumiError(
                .conflict,
                "the experiment of hyperparameter tuning \(tuning.id) has been deleted; copy the tuning into another experiment"
            )
        }
        var validator = Validator()
        validator.require(
            tuning.status.best.map { !tuning.spec.objective.reaches($0.value) } ?? true, "maxTrialCount",
            "the goal has been reached; copy the tuning with another goal")
        try validator.check()
        let done = tuning.status.counts.completed
        validator.require(
            body.maxTrialCount != nil || tuning.spec.maxTrials == nil, "maxTrialCount",
            "is required; more than the \(done) trials that have ended")
        let killed = tuning.status.counts[.killed]
        let most = tuning.combinations.map { min(100_000, $0 + killed) } ?? 100_000
        if tuning.hasTriedAll {
            validator.refuse(
                "maxTrialCount", "every combination of the grid has been tried; copy the tuning with smaller steps")
        } else {
            validator.range(body.maxTrialCount?.value, "maxTrialCount", done + 1...max(done + 1, most))
        }
        validator.range(body.maxFailedTrialCount?.value, "maxFailedTrialCount", 1...100_000)
        validator.range(body.maxDurationSeconds?.value, "maxDurationSeconds", 1...2_592_000)
        let failed = max(tuning.spec.maxFailedTrials, body.maxFailedTrialCount?.value ?? 0)
        validator.require(
            failed > tuning.status.counts.failed, "maxFailedTrialCount",
            "must be above the \(tuning.status.counts.failed) trials that have failed")
        try validator.check()
        try await store.updateSpec(tuning.key, of: Tuning.self) { spec in
            if let most = body.maxTrialCount?.value { spec.maxTrials = most }
            spec.maxFailedTrials = failed
            spec.maxDuration = body.maxDurationSeconds?.value ?? spec.maxDuration
        }
        guard var next: Tuning = try await store.resource(tuning.key) else { throw Store.missing(tuning.key) }
        next.status.phase = .running
        next.status.isExhausted = false
        next.status.reason = nil
        next.status.cause = nil
        next.status.spentSeconds = tuning.status.elapsed(at: sources.now())
        next.status.startedAt = sources.now()
        next.status.endedAt = nil
        guard
            let stored = try await store.updateStatus(
                next, event: next.spec.maxTrials.map { "goes on, up to \($0) trials" } ?? "goes on")
        else {
            throw TakumiError(.conflict, "hyperparameter tuning \(tuning.id) was changed meanwhile; try again")
        }
        return stored
    }

    func didDelete(_ tuning: Tuning, parts: [ResourceKey]) async throws {
        await forget(tuning)
        let logs = "\(home)/\(tuning.tensorBoardFolder)"
        try await BlockingWork.run { try FileTree.remove(logs) }
        for trial in parts { try await checks.engine.removeEnded(trial.id) }
    }
}

extension Tuning {
    /// Of a grid; nil for other searches.
    var combinations: Int? { spec.strategy == .grid ? SearchParameter.combinations(spec.parameters) : nil }

    /// Trials that were killed are tried again.
    var hasTriedAll: Bool {
        combinations.map { status.counts.total - status.counts[.killed] >= $0 } ?? false
    }

    /// Whether raising its limits would let it try more.
    var mayGoOn: Bool {
        status.phase.isSettled && status.phase.next.contains(.running) && !hasTriedAll
            && status.best.map { !spec.objective.reaches($0.value) } ?? true
    }
}
