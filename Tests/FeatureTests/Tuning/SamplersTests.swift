import Engine
import Resource
import Testing

@testable import TuningFeature

@Suite struct SamplersTests {
    private let world: TuningWorld

    init() throws { world = try TuningWorld() }

    /// A tuning asks; the sampler is started for it.
    private func start() async throws -> String {
        try await world.add(trials: 1)
        let tuning = try await world.tuning()
        await #expect(throws: Samplers.NotReady.self) {
            _ = try await world.samplers.suggest(1, for: tuning, known: 0, history: { [] })
        }
        return try #require(await world.engine.launched.first)
    }

    @Test func givesItsMemoryToWhoWaitsOnceNoTuningNeedsIt() async throws {
        let id = try await start()
        await world.engine.change { $0.isShortOfMemory = true }
        await world.samplers.tidy()
        #expect(await world.engine.stopped == [], "a tuning goes on with it")
        await world.samplers.forget(world.key.id)
        await world.engine.change { $0.isShortOfMemory = false }
        await world.samplers.tidy()
        #expect(await world.engine.stopped == [], "the next tuning finds it")
        await world.engine.change { $0.isShortOfMemory = true }
        await world.samplers.tidy()
        #expect(await world.engine.stopped == [id])
    }

    @Test func removesTheFolderOfOneThatHasEnded() async throws {
        let id = try await start()
        await world.samplers.forget(world.key.id)
        await world.engine.change { $0.isShortOfMemory = true }
        await world.samplers.tidy()
        #expect(await world.engine.removed == [], "it still ends")
        await world.engine.change { $0.active = [] }
        await world.samplers.tidy()
        await world.samplers.tidy()
        #expect(await world.engine.removed == [id])
    }

    @Test func stopsAndRemovesThoseOfAServerThatWasKilled() async throws {
        await world.engine.change { $0.active = ["sampler-old", "a-training"] }
        await world.samplers.tidy()
        #expect(await world.engine.stopped == ["sampler-old"])
        await world.engine.change { $0.active = ["a-training"] }
        await world.samplers.tidy()
        #expect(await world.engine.removed == ["sampler-old"])
    }
}
