import Catalog
import Engine
import Foundation
import Gateway
import Resource
import ServiceLifecycle

/// Asks Optuna, which runs beside the server as a workload of its own, for what to try next.
///
/// The history is the store's: a sampler that has gone is started anew and told all of it.
actor Samplers: Service {
    /// What a caller may do about a sampler that has no answer yet.
    enum NotReady: Error {
        /// It is being started or installed: ask again in a moment.
        case starting(cause: String)
        /// It cannot be started here.
        case failed(cause: String)
        /// It has no answer to this search, now or later.
        case refused(cause: String)
    }

    /// One environment: most searches need no PyTorch.
    private struct Runner {
        var id: String
        var token: String
        var port: Int?
        var lastUse: ContinuousClock.Instant
        /// Questions that it has not answered yet.
        var asked = 0
    }

    struct Study {
        /// What the sampler must be told with the next question.
        var pending: [Int: SamplerRequest.Trial] = [:]
        /// The runner that it waits for an answer of. Between its questions it needs none: the trial that comes next may be
        /// what waits for the runner's memory.
        var needs: Bool?
    }

    private static let prefix = "sampler-"
    private let engine: any Engine
    private let catalog: Catalog
    private let client: PortClient
    private let home: String
    private let idle: Duration
    private let grace: Duration
    private var runners: [Bool: Runner] = [:]
    private(set) var studies: [String: Study] = [:]
    /// Runners that were stopped, whose folders are still there: their tokens are in them.
    private var leaving: Set<String> = []

    /// - Parameters:
    ///   - idle: how long it is kept for the next search.
    ///   - grace: how long at least, though others wait for its memory: whoever asks comes back until there is an answer.
    init(
        engine: any Engine, catalog: Catalog, client: PortClient, home: String, idle: Duration = .seconds(600),
        grace: Duration = .seconds(2)
    ) {
        self.engine = engine
        self.catalog = catalog
        self.client = client
        self.home = home
        self.idle = idle
        self.grace = grace
    }

    // MARK: - Questions

    /// - Parameters:
    ///   - known: how many trials there are.
    ///   - history: all trials, for a sampler that knows nothing of them.
    func suggest(
        _ count: Int, for tuning: Tuning, known: Int, history: @Sendable () async throws -> [Trial]
    ) async throws -> (suggestions: [SamplerAnswer.Suggestion], isExhausted: Bool) {
        studies[tuning.id, default: Study()].needs = Samplers.needsTorch(tuning.spec)
        let answer = try await ask(tuning, path: "/v1/suggest", known: known, count: count, limit: 5, history)
        guard let suggestions = answer.suggestions else {
            throw TakumiError(.unavailable, "the sampler gave no suggestions: \(answer.error ?? "no reason given")")
        }
        studies[tuning.id]?.needs = nil
        return (suggestions, answer.exhausted ?? false)
    }

    func importance(
        of tuning: Tuning, known: Int, history: @Sendable () async throws -> [Trial]
    ) async throws -> SamplerAnswer {
        try await ask(tuning, path: "/v1/importance", known: known, count: nil, limit: 60, history)
    }

    /// Remembers what the sampler must be told with the next question.
    func note(_ changed: [Trial], of tuning: String) {
        for trial in changed {
            studies[tuning, default: Study()].pending[trial.spec.number] = SamplerRequest.Trial(trial)
        }
    }

    /// Of a tuning that has ended or is gone.
    func forget(_ tuning: String) { studies[tuning] = nil }

    /// Tells a sampler that knows too little everything, and asks it again.
    ///
    /// - Parameter limit: seconds; a suggestion takes a fraction of one, and while it is waited for nothing else of the tuning
    ///   is looked at.
    private func ask(
        _ tuning: Tuning, path: String, known: Int, count: Int?, limit: Int, _ history: () async throws -> [Trial]
    ) async throws -> SamplerAnswer {
        let answer = try await askOnce(tuning, path: path, known: known, count: count, limit: limit)
        guard answer.resync == true else { return answer }
        note(try await history(), of: tuning.id)
        return try await askOnce(tuning, path: path, known: known, count: count, limit: limit)
    }

    private func askOnce(_ tuning: Tuning, path: String, known: Int, count: Int?, limit: Int) async throws
        -> SamplerAnswer
    {
        let key = Samplers.needsTorch(tuning.spec)
        let runner = try await ready(key)
        let told = studies[tuning.id]?.pending ?? [:]
        let request = SamplerRequest(
            study: tuning.id, settings: .init(tuning.spec), expects: known,
            trials: told.values.sorted { $0.number < $1.number }, count: count)
        runners[key]?.asked += 1
        defer { if runners[key]?.id == runner.id { runners[key]?.asked -= 1 } }
        let (status, body): (Int, Data)
        do {
            (status, body) = try await client.post(
                try JSONEncoder().encode(request), port: runner.port ?? 0, path: path, token: runner.token,
                limit: key ? .seconds(60) : .seconds(Int64(limit)))
        } catch {
            // Gone, or it hangs: a new one is told everything.
            await drop(runner)
            throw NotReady.starting(cause: "the sampler does not answer; it is started again")
        }
        if status == 401 {
            // Another program has its port.
            await drop(runner)
            throw NotReady.starting(cause: "the sampler is started again")
        }
        let answer = try JSONDecoder().decode(SamplerAnswer.self, from: body)
        guard status == 200 else {
            let cause = "the sampler refused: \(answer.error ?? "status \(status)")"
            throw status < 500 ? NotReady.refused(cause: cause) : NotReady.starting(cause: cause)
        }
        // What was told is known. What came meanwhile is not.
        for (number, trial) in told where studies[tuning.id]?.pending[number]?.state == trial.state {
            studies[tuning.id]?.pending[number] = nil
        }
        return answer
    }

    // MARK: - Runners

    private static func needsTorch(_ spec: TuningSpec) -> Bool { spec.strategy == .gaussianProcess }

    /// A runner that answers. Between two of its steps others may come in: what one has begun the others must see.
    /// - Throws: `NotReady`.
    private func ready(_ key: Bool) async throws -> Runner {
        guard let runner = runners[key] else {
            let runner = Runner(
                id: "\(Samplers.prefix)\(UUID().uuidString.lowercased())", token: UUID().uuidString, port: nil,
                lastUse: .now)
            runners[key] = runner
            do {
                try await engine.launch(try workload(runner, gaussian: key))
            } catch {
                retire(runner)
                throw NotReady.failed(
                    cause: "Optuna cannot be started: \((error as? TakumiError)?.message ?? "\(error)")")
            }
            throw NotReady.starting(cause: "preparing suggestions")
        }
        runners[key]?.lastUse = .now
        if runner.port != nil { return runner }
        guard let observation = await engine.observe(runner.id) else {
            throw NotReady.starting(cause: "preparing suggestions")
        }
        if let state = observation.tasks.first ?? nil, state.hasEnded {
            retire(runner)
            if state.outcome == .failedToPrepare {
                throw NotReady.failed(cause: "Optuna cannot be started: \(state.cause ?? "no reason given")")
            }
            throw NotReady.starting(cause: "the sampler ended; it is started again")
        }
        if let port = observation.ports.first?["http"],
            let answer = try? await client.post(
                Data(#"{"study": ""}"#.utf8), port: port, path: "/v1/forget", token: runner.token, limit: .seconds(2)),
            answer.status == 200, runners[key]?.id == runner.id
        {
            runners[key]?.port = port
            if let ready = runners[key] { return ready }
        }
        let cause = observation.waiting ?? observation.tasks.first??.cause
        throw NotReady.starting(cause: cause.map { "preparing suggestions: \($0)" } ?? "preparing suggestions")
    }

    /// Ends a runner, so that the next question starts another.
    private func drop(_ runner: Runner) async {
        retire(runner)
        await engine.stop(runner.id)
    }

    private func retire(_ runner: Runner) {
        for (key, current) in runners where current.id == runner.id { runners[key] = nil }
        leaving.insert(runner.id)
    }

    private func workload(_ runner: Runner, gaussian: Bool) throws -> Workload {
        let tool = gaussian ? catalog.gaussianSampler : catalog.sampler
        let program = try catalog.samplerProgram.place(home: home)
        let task = TaskSpec(
            command: [Placeholder.python, program, "--port", Placeholder.port(task: 0, "http")],
            environment: ["TAKUMI_SAMPLER_TOKEN": runner.token],
            image: try ImageReference(tool, home: home),
            resources: Resources(cpus: 0, memoryMiB: gaussian ? 1536 : 768), ports: ["http"], grace: 2,
            readable: [program])
        // Trials wait for it.
        return Workload(
            id: runner.id, owner: ResourceKey(ResourceKind("sampler"), runner.id), project: "", title: "suggestions",
            priority: 100, tasks: [task])
    }

    // MARK: - Service

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.tidy()
                try? await Task.sleep(for: .seconds(1))
            }
        }
        for runner in runners.values { await engine.stop(runner.id) }
    }

    /// Stops what nobody needs, also of a server that was killed, whose tokens nobody knows any more; removes what has ended.
    func tidy() async {
        let isShortOfMemory = runners.isEmpty ? false : await engine.capacity().isShortOfMemory
        for (key, runner) in runners where mayGo(runner, key, isShortOfMemory: isShortOfMemory) { retire(runner) }
        let active = Set(await engine.activeIDs().filter { $0.hasPrefix(Samplers.prefix) })
        let kept = Set(runners.values.map(\.id))
        for id in active.subtracting(kept) {
            leaving.insert(id)
            await engine.stop(id)
        }
        for id in leaving.subtracting(active) where (try? await engine.remove(id)) != nil { leaving.remove(id) }
    }

    /// Others may have its memory as soon as no search goes on with it.
    private func mayGo(_ runner: Runner, _ key: Bool, isShortOfMemory: Bool) -> Bool {
        guard runner.asked == 0 else { return false }
        if runner.lastUse + idle < .now { return true }
        return isShortOfMemory && runner.lastUse + grace < .now && !studies.values.contains { $0.needs == key }
    }
}
