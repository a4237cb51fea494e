import NIOCore
import Synchronization

/// The table of the moment, and what outlives tables: counts and rate limits.
final class RouteRegistry: Sendable {
    private struct State {
        var table = CompiledTable()
        var backends: [Backend: BackendState] = [:]
        var uses: [String: [String: ResourceUse]] = [:]
        var buckets: [String: TokenBucket] = [:]
    }

    private let state = Mutex(State())
    private let generation = Atomic<Int>(0)

    /// Changes with every table. Read by event loops at every request, without a lock.
    var number: Int { generation.load(ordering: .sequentiallyConsistent) }

    /// The table and its number.
    var current: (table: CompiledTable, number: Int) {
        state.withLock { ($0.table, generation.load(ordering: .sequentiallyConsistent)) }
    }

    func publish(_ table: RouteTable, now: NIODeadline = .now()) {
        state.withLock { state in
            state.table = RouteRegistry.compile(table, &state, now: now)
            generation.add(1, ordering: .sequentiallyConsistent)
            let wanted = Set(state.table.backends.map(\.backend))
            state.backends = state.backends.filter { wanted.contains($0.key) || $0.value.requests > 0 }
            let stages = Set(table.stages.map(\.id))
            state.buckets = state.buckets.filter { stages.contains($0.key) }
        }
    }

    /// Requests on their way to a backend, by its id.
    func inFlight(_ backend: String) -> Int {
        state.withLock { state in
            state.backends.values.reduce(0) { $0 + ($1.backend.id == backend ? $1.requests : 0) }
        }
    }

    func requests(stage: String, resource: String) -> Int {
        state.withLock { $0.uses[stage]?[resource]?.requests ?? 0 }
    }

    func forget(_ stage: String) {
        state.withLock { _ = $0.uses.removeValue(forKey: stage) }
    }

    private static func compile(_ table: RouteTable, _ state: inout State, now: NIODeadline) -> CompiledTable {
        var backends: [BackendState] = []
        var slots: [Backend: Int] = [:]
        var prefixes = PrefixIndex()
        let indices = Dictionary(
            table.stages.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        func shares(_ shares: [StageRoute.Share]) -> [CompiledStage.Share] {
            shares.compactMap { share in
                guard share.percent > 0, let stage = indices[share.stage] else { return nil }
                return CompiledStage.Share(stage: stage, percent: share.percent)
            }
        }
        var stages: [CompiledStage] = []
        for (index, route) in table.stages.enumerated() {
            for prefix in route.prefixes { prefixes.insert(prefix, stage: index) }
            let resources = route.resources.map { resource in
                // A port that is none is a backend that is not there.
                let compiled = resource.backends.compactMap { backend -> CompiledBackend? in
                    guard let known = try? state.backends[backend] ?? BackendState(backend) else { return nil }
                    state.backends[backend] = known
                    let slot = slots[backend] ?? backends.count
                    if slot == backends.count {
                        slots[backend] = slot
                        backends.append(known)
                    }
                    return CompiledBackend(state: known, slot: slot)
                }
                let use =
                    state.uses[route.id]?[resource.name] ?? ResourceUse(stage: route.id, resource: resource.name)
                state.uses[route.id, default: [:]][resource.name] = use
                return CompiledResource(resource, backends: compiled, use: use)
            }
            stages.append(
                CompiledStage(
                    route, index: index, resources: resources, canaries: shares(route.canaries),
                    shadows: shares(route.shadows), bucket: bucket(route, &state, now: now)))
        }
        return CompiledTable(stages: stages, backends: backends, prefixes: prefixes)
    }

    /// The bucket that was there goes on, or every new table would let a burst through.
    private static func bucket(_ route: StageRoute, _ state: inout State, now: NIODeadline) -> TokenBucket? {
        guard let rate = route.rate else {
            state.buckets[route.id] = nil
            return nil
        }
        if let known = state.buckets[route.id], known.rate == rate { return known }
        let bucket = TokenBucket(rate, now: now)
        state.buckets[route.id] = bucket
        return bucket
    }
}
