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
    }

    /// One environment: most searches need no PyTorch.
    private struct Runner {
        var id: String
        var token: String
        var port: Int?
        var lastUse: ContinuousClock.Instant
    }

    private struct Study {
        /// The runner that knows it.
        var runner: String
        var pending: [Int: SamplerRequest.Trial] = [:]
        var isSynchronised = false
    }

    private static let prefix = "sampler-"
    private let engine: any Engine
    private let catalog: Catalog
    private let client: PortClient
    private let home: String
    private let idle: Duration
    private var runners: [Bool: Runner] = [:]
    private var studies: [String: Study] = [:]

    init(engine: any Engine, catalog: Catalog, client: PortClient, home: String, idle: Duration = .seconds(600)) {
        self.engine = engine
        self.catalog = catalog
        self.client = client
        self.home = home
        self.idle = idle
    }

    // MARK: - Questions

    /// Starts what a tuning will need.
    func prepare(_ spec: TuningSpec) async { _ = try? await ready(spec) }

    /// - Parameters:
    ///   - changed: trials that have been created or have ended since the last call.
    ///   - known: how many trials there are.
    ///   - history: all trials, for a sampler that knows nothing of them.
    func suggest(
        _ count: Int, for tuning: Tuning, changed: [Trial], known: Int, history: @Sendable () async throws -> [Trial]
    ) async throws -> (suggestions: [SamplerAnswer.Suggestion], isExhausted: Bool) {
        note(changed, of: tuning.id)
        var answer = try await ask(tuning, path: "/v1/suggest", known: known, count: count)
        if answer.resync == true {
            try await replay(tuning, history)
            answer = try await ask(tuning, path: "/v1/suggest", known: known, count: count)
        }
        guard let suggestions = answer.suggestions else {
            throw TakumiError(.unavailable, "the sampler gave no suggestions: \(answer.error ?? "no reason given")")
        }
        return (suggestions, answer.exhausted ?? false)
    }

    func importance(
        of tuning: Tuning, known: Int, history: @Sendable () async throws -> [Trial]
    ) async throws -> SamplerAnswer {
        var answer = try await ask(tuning, path: "/v1/importance", known: known, count: nil)
        if answer.resync == true {
            try await replay(tuning, history)
            answer = try await ask(tuning, path: "/v1/importance", known: known, count: nil)
        }
        return answer
    }

    /// Remembers what the sampler must be told with the next question.
    func note(_ changed: [Trial], of tuning: String) {
        for trial in changed {
            studies[tuning, default: Study(runner: "")].pending[trial.spec.number] = SamplerRequest.Trial(trial)
        }
    }

    func forget(_ tuning: String) { studies[tuning] = nil }

    private func replay(_ tuning: Tuning, _ history: () async throws -> [Trial]) async throws {
        for trial in try await history() {
            studies[tuning.id, default: Study(runner: "")].pending[trial.spec.number] = SamplerRequest.Trial(trial)
        }
    }

    private func ask(_ tuning: Tuning, path: String, known: Int, count: Int?) async throws -> SamplerAnswer {
        let runner = try await ready(tuning.spec)
        let told = studies[tuning.id]?.pending ?? [:]
        let request = SamplerRequest(
            study: tuning.id, settings: .init(tuning.spec), expects: known,
            trials: told.values.sorted { $0.number < $1.number }, count: count)
        let (status, body): (Int, Data)
        do {
            (status, body) = try await client.post(
                try JSONEncoder().encode(request), port: runner.port ?? 0, path: path, token: runner.token)
        } catch {
            runners[Samplers.needsTorch(tuning.spec)]?.port = nil
            throw NotReady.starting(cause: "the sampler does not answer; it is started again")
        }
        let answer = try JSONDecoder().decode(SamplerAnswer.self, from: body)
        guard status == 200 else {
            throw TakumiError(
                .unavailable, "the sampler refused with status \(status): \(answer.error ?? "no reason given")")
        }
        // What was told is known. What came meanwhile is not.
        for (number, trial) in told where studies[tuning.id]?.pending[number]?.state == trial.state {
            studies[tuning.id]?.pending[number] = nil
        }
        return answer
    }

    // MARK: - Runners

    private static func needsTorch(_ spec: TuningSpec) -> Bool { spec.strategy == .gaussianProcess }

    /// A runner that answers.
    /// - Throws: `NotReady`.
    private func ready(_ spec: TuningSpec) async throws -> Runner {
        let key = Samplers.needsTorch(spec)
        if var runner = runners[key] {
            runner.lastUse = .now
            runners[key] = runner
            if runner.port != nil { return runner }
            let observation = await engine.observe(runner.id)
            guard let observation, observation.tasks.first??.hasEnded != true else {
                let state = observation?.tasks.first ?? nil
                try? await engine.remove(runner.id)
                runners[key] = nil
                if state?.outcome == .failedToPrepare {
                    throw NotReady.failed(cause: "Optuna cannot be started: \(state?.cause ?? "no reason given")")
                }
                throw NotReady.starting(cause: "the sampler ended; it is started again")
            }
            if let port = observation.ports.first?["http"],
                let answer = try? await client.post(
                    Data(#"{"study": ""}"#.utf8), port: port, path: "/v1/forget", token: runner.token),
                answer.status == 200
            {
                runners[key]?.port = port
                return runners[key] ?? runner
            }
            let cause = observation.waiting ?? observation.tasks.first??.cause
            throw NotReady.starting(cause: cause.map { "preparing suggestions: \($0)" } ?? "preparing suggestions")
        }
        let runner = Runner(
            id: "\(Samplers.prefix)\(UUID().uuidString.lowercased())", token: UUID().uuidString, port: nil,
            lastUse: .now)
        try await engine.launch(try workload(runner, gaussian: key))
        runners[key] = runner
        throw NotReady.starting(cause: "preparing suggestions")
    }

    private func workload(_ runner: Runner, gaussian: Bool) throws -> Workload {
        let tool = gaussian ? catalog.gaussianSampler : catalog.sampler
        let program = try catalog.samplerProgram.place(home: home)
        let task = TaskSpec(
            command: [Placeholder.python, program, "--port", Placeholder.port(task: 0, "http")],
            environment: ["TAKUMI_SAMPLER_TOKEN": runner.token],
            image: ImageReference(
                name: tool.name, pythonVersion: tool.pythonVersion, lock: try tool.placeLock(home: home),
                digest: tool.digest, address: ""),
            resources: Resources(cpus: 0, memoryMiB: gaussian ? 1536 : 768), ports: ["http"], grace: 2,
            readable: [program])
        // Trials wait for it.
        return Workload(
            id: runner.id, owner: ResourceKey(ResourceKind("sampler"), runner.id), project: "", title: "suggestions",
            priority: 100, tasks: [task])
    }

    // MARK: - Service

    func run() async throws {
        // Of a server that was killed: nobody knows their tokens any more.
        for id in await engine.activeIDs() where id.hasPrefix(Samplers.prefix) { await engine.stop(id) }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.stopIdle()
                try? await Task.sleep(for: .seconds(10))
            }
        }
        for runner in runners.values { await engine.stop(runner.id) }
    }

    private func stopIdle() async {
        for (key, runner) in runners where runner.lastUse + idle < .now {
            runners[key] = nil
            await engine.stop(runner.id)
        }
    }
}
