import Console
import Engine
import Resource
import Store
import Testing

@testable import TuningFeature

@Suite struct TuningReconcilerTests {
    private let refusal = "needs 16.0 GiB of memory; this machine offers 7.9 GiB"

    @Test func aTuningFailsWithWhatTheEngineHadAgainstItsTrials() async throws {
        let world = try TuningWorld()
        try await world.add(trials: 3)
        await world.refuse(refusal)
        for _ in 0..<3 { _ = try await world.reconciler.reconcile(world.key) }
        let status = try await world.tuning().status
        #expect(status.phase == .fail)
        #expect(status.cause == "3 trials failed or had no value of 'm', the last one: \(refusal)")
    }

    @Test func whatATuningWaitsForIsNotWhyATrialFailed() async throws {
        let world = try TuningWorld()
        try await world.add(trials: 1)
        var tuning = try await world.tuning()
        tuning.status.cause = "waiting for 2 vCPU"
        tuning.status.counts.move(from: .created, to: .failed)
        var round = TuningRound(tuning, trials: [], now: tuning.metadata.createdAt)
        round.decide(EarlyStopping.Rivals())
        #expect(round.status.cause == "1 trial failed or had no value of 'm'")
    }

    /// The sampler learns of it, and nothing is kept of a tuning that has ended.
    @Test func aTrialThatWasRefusedIsToldToTheSearch() async throws {
        let world = try TuningWorld()
        try await world.add(trials: 2) { $0.maxFailedTrials = 3 }
        await world.refuse(refusal)
        _ = try await world.reconciler.reconcile(world.key)
        #expect(await world.samplers.studies[world.key.id]?.pending.values.map(\.state) == ["FAIL", "FAIL"])
        _ = try await world.reconciler.reconcile(world.key)
        #expect(try await world.tuning().status.phase == .complete)
        #expect(await world.samplers.studies.isEmpty)
    }

    /// What early stopping compares with is read again where it goes on.
    @Test func nothingIsKeptOfATuningThatHasEnded() async throws {
        let world = try TuningWorld()
        try await world.add(trials: 1) { $0.earlyStopping = .init(rule: .median, minTrials: 1, startStep: 1) }
        await world.refuse(refusal)
        for _ in 0..<2 { _ = try await world.reconciler.reconcile(world.key) }
        let tuning = try await world.tuning()
        #expect(tuning.status.phase == .fail)
        try await world.addSucceeded(number: 99, firstMean: 0.5)
        let round = TuningRound(tuning, trials: [], now: tuning.metadata.createdAt)
        #expect(try await world.files.rivals(of: tuning, round).firstMeans == [0.5])
    }

    /// As names, trial-10000 would come before trial-9999.
    @Test func trialsAreOrderedByNumber() async throws {
        let world = try TuningWorld()
        try await world.add(trials: 0)
        for number in 9_999...10_001 { try await world.addSucceeded(number: number) }
        let files = ConsoleFiles()
        let column = try TrialType(store: world.store, publicURL: { "" }).columns(Strings(.english, files: files))[0]
        var query = Query(.trial, project: nil)
        query.order = try #require(column.orders?.0)
        #expect(
            try await world.store.records(query).map(\.metadata.name) == ["trial-9999", "trial-10000", "trial-10001"])
    }
}
