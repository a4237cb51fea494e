import NIOCore

/// The choice among a resource's backends: the one with the fewest requests on their way; of several, the next in turn.
enum Balancer {
    /// - Parameters:
    ///   - turn: Counts up with every choice.
    ///   - excluding: Those that were tried already.
    /// - Returns: nil where all have been tried.
    static func choose(
        _ backends: [CompiledBackend], turn: Int, excluding tried: [BackendState], now: NIODeadline
    ) -> CompiledBackend? {
        if backends.count == 1, tried.isEmpty { return backends[0] }
        var best: CompiledBackend?
        var bestLoad = Int.max
        for step in backends.indices {
            let candidate = backends[(turn &+ step) % backends.count]
            if tried.contains(where: { $0 === candidate.state }) { continue }
            // Set aside is not shut out: where no other is left, it is asked all the same.
            let load = candidate.state.load + (candidate.state.isAside(now: now) ? Int.max / 2 : 0)
            if load < bestLoad {
                best = candidate
                bestLoad = load
            }
        }
        return best
    }

    /// - Parameters:
    ///   - shares: Percentages.
    ///   - random: 0 to 99.
    /// - Returns: The stage whose share the number falls into, or nil for what is left of the hundred.
    static func share(_ shares: [CompiledStage.Share], random: Int) -> Int? {
        var sum = 0
        for share in shares {
            sum += share.percent
            if random < sum { return share.stage }
        }
        return nil
    }
}
