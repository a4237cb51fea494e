/// A route table made ready for look-ups. It never changes, so event loops share it.
final class CompiledTable: Sendable {
    let stages: [CompiledStage]
    /// Every backend once; event loops keep their connections in the same order.
    let backends: [BackendState]
    let prefixes: PrefixIndex
    private let indices: [String: Int]

    init(stages: [CompiledStage], backends: [BackendState], prefixes: PrefixIndex) {
        self.stages = stages
        self.backends = backends
        self.prefixes = prefixes
        indices = Dictionary(stages.map { ($0.id, $0.index) }, uniquingKeysWith: { first, _ in first })
    }

    convenience init() { self.init(stages: [], backends: [], prefixes: PrefixIndex()) }

    func stage(_ id: String) -> CompiledStage? { indices[id].map { stages[$0] } }
}

final class CompiledStage: Sendable {
    struct Share: Sendable {
        var stage: Int
        var percent: Int
    }

    let index: Int
    let id: String
    let resources: [CompiledResource]
    let canaries: [Share]
    let shadows: [Share]
    let keys: KeyRing
    let bucket: TokenBucket?
    let log: InferenceLogFields?

    init(
        _ route: StageRoute, index: Int, resources: [CompiledResource], canaries: [Share], shadows: [Share],
        bucket: TokenBucket?
    ) {
        self.index = index
        id = route.id
        self.resources = resources
        self.canaries = canaries
        self.shadows = shadows
        keys = KeyRing(route.keys)
        self.bucket = bucket
        log = route.log
    }

    func resource(_ name: [UInt8]) -> CompiledResource? { resources.first { $0.nameBytes == name } }

    /// - Parameter part: A part of a path, percent-encoded.
    func resource(_ bytes: UnsafeRawBufferPointer, _ part: Range<Int>) -> CompiledResource? {
        for resource in resources where PathPart.equals(bytes, part, resource.nameBytes) { return resource }
        return nil
    }
}

final class CompiledResource: Sendable {
    let name: String
    let nameBytes: [UInt8]
    let backends: [CompiledBackend]
    let hold: Int
    let use: ResourceUse

    init(_ route: ResourceRoute, backends: [CompiledBackend], use: ResourceUse) {
        name = route.name
        nameBytes = Array(route.name.utf8)
        self.backends = backends
        hold = route.hold
        self.use = use
    }
}

struct CompiledBackend: Sendable {
    let state: BackendState
    /// Its place in the table's backends.
    let slot: Int
}
