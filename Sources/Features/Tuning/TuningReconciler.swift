import Control
import Engine
import FeatureKit
import Foundation
import JobKit
import Resource
import Store

/// Brings a tuning to its end: looks at its trials, ends those that are not worth going on with, asks for new ones.
///
/// What one round decides is written in one transaction, trials and counts together; only then the engine is told. So a
/// server that is killed between two instructions finds trials that it launches again, which launches nothing twice, or
/// ends that it asks for again.
struct TuningReconciler: Reconciler {
    let kind = ResourceKind.tuning
    let store: Store
    let engine: any Engine
    let environments: JobEnvironments
    let samplers: Samplers
    let files: TrialFiles
    let sources: ClockAndIDs

    func reconcile(_ key: ResourceKey) async throws -> Duration? {
        guard let tuning: Tuning = try await store.resource(key), !tuning.status.phase.isSettled else { return nil }
        var round = TuningRound(tuning, trials: try await trials(of: key, activeOnly: true), now: sources.now())
        for trial in round.active {
            let observation = await engine.observe(trial.workloadID)
            round.look(at: trial, observation, try await files.reports(of: trial, tuning, observation))
        }
        round.decide(try await files.rivals(of: tuning, round))
        await samplers.note(round.settled, of: tuning.id)
        var again: Duration?
        if round.wanted > 0 { again = try await addTrials(&round) }
        guard try await commit(round) else { return .zero }
        await act(round)
        return again
    }

    // MARK: - Steps

    /// - Returns: when to look again, where there are no suggestions yet.
    private func addTrials(_ round: inout TuningRound) async throws -> Duration? {
        let tuning = round.tuning
        let store = store
        do {
            let (suggestions, isExhausted) = try await samplers.suggest(
                round.wanted, for: tuning, known: round.status.counts.total,
                history: { try await TuningReconciler.trials(store, of: tuning.key, activeOnly: false) })
            for suggestion in suggestions {
                round.add(
                    suggestion, id: sources.newID(), bound: try await files.bound(tuning, round), now: sources.now())
            }
            round.status.isExhausted = isExhausted
            round.decideEnd()
            if round.status.cause?.hasPrefix(Self.preparing) == true { round.status.cause = nil }
            return nil
        } catch Samplers.NotReady.starting(let cause) {
            round.status.cause = "\(Self.preparing)\(cause)"
            return .milliseconds(100)
        } catch Samplers.NotReady.refused(let cause) {
            round.fail(cause)
            return nil
        } catch Samplers.NotReady.failed(let cause) {
            if round.status.counts.total == 0 {
                round.fail(cause)
                return nil
            }
            round.status.cause = "\(Self.preparing)\(cause)"
            return .seconds(10)
        }
    }

    private static let preparing = "next trial: "

    private func commit(_ round: TuningRound) async throws -> Bool {
        var batch = Batch()
        for trial in round.changed { try batch.update(trial) }
        for trial in round.added { try batch.insert(trial) }
        if round.status != round.tuning.status {
            _ = try round.tuning.status.phase.advanced(to: round.status.phase)
            var next = round.tuning
            next.status = round.status
            try batch.update(next, event: round.event)
        }
        guard !batch.isEmpty else { return true }
        guard try await store.apply(batch) else { return false }
        // Only what is written is told to the search.
        await samplers.note(round.added, of: round.tuning.id)
        for trial in round.settled { files.settled(trial) }
        if round.status.phase.isSettled { await forget(round.tuning) }
        return true
    }

    /// Of a tuning that has ended or is gone. One that goes on is known again from the store.
    func forget(_ tuning: Tuning) async {
        await samplers.forget(tuning.id)
        files.forget(tuning.id)
    }

    private func act(_ round: TuningRound) async {
        for trial in round.toStop { await engine.stop(trial.workloadID) }
        for trial in round.toLaunch + round.added {
            do {
                try await launch(trial, round)
            } catch {
                await refuse(trial, round.tuning, cause: (error as? TakumiError)?.message ?? "\(error)")
            }
        }
    }

    private func launch(_ trial: Trial, _ round: TuningRound) async throws {
        let job = trial.job(round.tuning)
        // The tuning looks at the time itself. A trial's own limit is for the case that no server is there to look.
        let remaining = round.tuning.spec.budget - round.status.lastRun(at: sources.now()) + 60
        try await engine.launch(
            job.workload(
                trial.run(round.tuning, remaining: remaining),
                in: try environments.environment(of: job, named: "tuning")))
    }

    /// A trial that the engine does not take: the trial has failed, and the counts say so.
    private func refuse(_ trial: Trial, _ tuning: Tuning, cause: String) async {
        guard var failed: Trial = try? await store.resource(trial.key),
            var owner: Tuning = try? await store.resource(tuning.key), !failed.status.phase.isSettled
        else { return }
        owner.status.counts.move(from: failed.status.phase, to: .failed)
        owner.status.lastFailure = cause
        failed.status.phase = .failed
        failed.status.cause = cause
        failed.status.endedAt = sources.now()
        var batch = Batch()
        try? batch.update(failed)
        try? batch.update(owner)
        guard (try? await store.apply(batch)) == true else { return }
        await samplers.note([failed], of: owner.id)
        files.settled(failed)
    }

    // MARK: - Trials

    private func trials(of key: ResourceKey, activeOnly: Bool) async throws -> [Trial] {
        try await Self.trials(store, of: key, activeOnly: activeOnly)
    }

    /// Oldest first.
    static func trials(_ store: Store, of key: ResourceKey, activeOnly: Bool) async throws -> [Trial] {
        var query = Query(.trial, project: nil)
        query.referring = key
        query.unsettledOnly = activeOnly
        query.order = .oldest
        return try await store.records(query).map { try $0.decoded() }
    }
}
