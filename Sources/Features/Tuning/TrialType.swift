import FeatureKit
import Foundation
import JobKit
import Resource
import Store

/// Trials as a kind: parts of a tuning, which makes and deletes them.
struct TrialType: ResourceType {
    typealias Create = NoBody

    let names = WireNames(kind: .trial, singular: "trial", collection: "trials")
    let isPart = true
    /// So that lists can ask for the trials of one tuning: `hyperparameterTuningId`.
    let embeds: [ResourceKind] = [.tuning]
    let store: Store
    let publicURL: @Sendable () -> String

    func wire(_ trials: [Trial], project: String) async throws -> [TrialWire] { trials.map(TrialWire.init) }

    func isVolatile(phase: String) -> Bool { phase == TrialPhase.running.rawValue }

    func tuning(of trial: Trial) async throws -> Tuning {
        let key = ResourceKey(.tuning, trial.spec.tuningID)
        guard let tuning: Tuning = try await store.resource(key) else { throw Store.missing(key) }
        return tuning
    }
}
