import Foundation
import JobKit
import Resource
import Store
import Synchronization

/// Gathers what a tuning's charts show, and remembers what does not change any more: with ten thousand trials a look costs
/// what is new.
final class Studies: Sendable {
    private struct Memory {
        /// Trials that have ended, by id.
        var ended: [String: StudyData.Entry] = [:]
        var importance: (completed: Int, at: ContinuousClock.Instant, answer: StudyData.Importance)?
        var use = 0
    }

    private let store: Store
    private let samplers: Samplers
    private let state = Mutex((memories: [String: Memory](), uses: 0))

    /// More than can be told apart on a screen.
    private static let newest = 2000
    private static let best = 300
    private static let mostTunings = 20

    init(store: Store, samplers: Samplers) {
        (self.store, self.samplers) = (store, samplers)
    }

    /// - Parameter base: of the project's pages.
    func data(of tuning: Tuning, base: String) async throws -> StudyData {
        let trials = try await entries(of: tuning, base: base)
        return StudyData(
            tuning, trials: Studies.thinned(trials, tuning.spec.objective), importance: knownImportance(of: tuning),
            importanceHref: "\(base)/hyperparameter-tunings/\(tuning.id)/study/importance")
    }

    private func entries(of tuning: Tuning, base: String) async throws -> [StudyData.Entry] {
        var query = Query(.trial, project: tuning.metadata.project)
        query.referring = tuning.key
        query.order = .oldest
        let rows = try await store.versions(query)
        let known = memory(of: tuning.id).ended
        let missing = rows.map(\.id).filter { known[$0] == nil }
        var found: [String: StudyData.Entry] = [:]
        var ended: [String: StudyData.Entry] = [:]
        // SQLite takes so many values in one statement.
        for start in stride(from: 0, to: missing.count, by: 5000) {
            var some = Query(.trial, project: tuning.metadata.project)
            some.ids = Array(missing[start..<min(start + 5000, missing.count)])
            for record in try await store.records(some) {
                let trial: Trial = try record.decoded()
                let entry = StudyData.Entry(trial, base: base)
                found[trial.id] = entry
                if trial.status.phase.isSettled { ended[trial.id] = entry }
            }
        }
        let new = ended
        update(tuning.id) { $0.ended.merge(new) { $1 } }
        return rows.compactMap { known[$0.id] ?? found[$0.id] }
    }

    /// The newest, the best, and those that were the best when they ended.
    private static func thinned(_ trials: [StudyData.Entry], _ objective: Objective) -> [StudyData.Entry] {
        guard trials.count > newest + best else { return trials }
        var kept = Set(trials.suffix(newest).map(\.number))
        var record: Double?
        for trial in trials {
            guard let value = trial.value, record.map({ objective.isBetter(value, than: $0) }) ?? true else { continue }
            record = value
            kept.insert(trial.number)
        }
        let ranked = trials.filter { $0.value != nil }
            .sorted { objective.isBetter($0.value ?? 0, than: $1.value ?? 0) }
        kept.formUnion(ranked.prefix(best).map(\.number))
        return trials.filter { kept.contains($0.number) }
    }

    // MARK: - Importance

    /// What is known without asking. While trials still end it may be a few seconds old, since it costs as much as a trial.
    private func knownImportance(of tuning: Tuning) -> StudyData.Importance? {
        let counts = tuning.status.counts
        guard counts[.succeeded] + counts[.earlyStopped] > 1 else {
            return StudyData.Importance(reason: "too few trials have ended")
        }
        guard let last = memory(of: tuning.id).importance,
            last.completed == counts.completed
                || !tuning.status.phase.isSettled && last.at + .seconds(10) > .now
        else { return nil }
        return last.answer
    }

    /// Optuna's, or why there is none.
    func importance(of tuning: Tuning) async throws -> StudyData.Importance {
        if let known = knownImportance(of: tuning) { return known }
        let answer = try await ask(tuning)
        if answer.importances != nil {
            update(tuning.id) { $0.importance = (tuning.status.counts.completed, .now, answer) }
        }
        return answer
    }

    /// A sampler that nobody needed for a while is up again within a second.
    private func ask(_ tuning: Tuning) async throws -> StudyData.Importance {
        let deadline = ContinuousClock.now + .seconds(3)
        let store = store
        while true {
            do {
                let answer = try await samplers.importance(
                    of: tuning, known: tuning.status.counts.total,
                    history: { try await TuningReconciler.trials(store, of: tuning.key, activeOnly: false) })
                return StudyData.Importance(importances: answer.importances, reason: answer.reason ?? answer.error)
            } catch Samplers.NotReady.starting(let cause) {
                guard .now < deadline else { return StudyData.Importance(reason: cause) }
                try await Task.sleep(for: .milliseconds(100))
            } catch Samplers.NotReady.failed(let cause) {
                return StudyData.Importance(reason: cause)
            } catch Samplers.NotReady.refused(let cause) {
                return StudyData.Importance(reason: cause)
            }
        }
    }

    // MARK: - Memory

    private func memory(of tuning: String) -> Memory { state.withLock { $0.memories[tuning] } ?? Memory() }

    private func update(_ tuning: String, _ change: (inout Memory) -> Void) {
        state.withLock { state in
            state.uses += 1
            change(&state.memories[tuning, default: Memory()])
            state.memories[tuning]?.use = state.uses
            if state.memories.count > Studies.mostTunings,
                let oldest = state.memories.min(by: { $0.value.use < $1.value.use })?.key
            {
                state.memories[oldest] = nil
            }
        }
    }
}
