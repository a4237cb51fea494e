import NIOCore
import Testing

@testable import Gateway

struct BalancingTests {
    private let now = NIODeadline.uptimeNanoseconds(10_000_000_000)

    private func backends(_ count: Int) throws -> [CompiledBackend] {
        try (0..<count).map {
            CompiledBackend(state: try BackendState(Backend(id: "p\($0)", port: 1000 + $0)), slot: $0)
        }
    }

    @Test func theLeastLoadedIsChosen() throws {
        let all = try backends(3)
        for _ in 0..<3 { all[0].state.enter() }
        for _ in 0..<2 { all[1].state.enter() }
        all[2].state.enter()
        for turn in 0..<9 {
            #expect(Balancer.choose(all, turn: turn, excluding: [], now: now)?.slot == 2)
        }
        all[1].state.leave()
        all[1].state.leave()
        #expect(Balancer.choose(all, turn: 0, excluding: [], now: now)?.slot == 1)
    }

    @Test func tiesTakeTurns() throws {
        let all = try backends(4)
        let chosen = (0..<8).compactMap { Balancer.choose(all, turn: $0, excluding: [], now: now)?.slot }
        #expect(chosen == [0, 1, 2, 3, 0, 1, 2, 3])
    }

    @Test func triedOnesAreLeftOut() throws {
        let all = try backends(2)
        #expect(Balancer.choose(all, turn: 0, excluding: [all[0].state], now: now)?.slot == 1)
        #expect(Balancer.choose(all, turn: 0, excluding: all.map(\.state), now: now) == nil)
        let one = try backends(1)
        #expect(Balancer.choose(one, turn: 5, excluding: [], now: now)?.slot == 0)
        #expect(Balancer.choose(one, turn: 5, excluding: [one[0].state], now: now) == nil)
        #expect(Balancer.choose([], turn: 5, excluding: [], now: now) == nil)
    }

    @Test func whatIsSetAsideComesLast() throws {
        let all = try backends(2)
        all[0].state.setAside(now: now)
        for _ in 0..<100 { all[1].state.enter() }
        #expect(Balancer.choose(all, turn: 0, excluding: [], now: now)?.slot == 1)
        #expect(Balancer.choose(all, turn: 0, excluding: [], now: now + .milliseconds(501))?.slot == 0)
        all[1].state.setAside(now: now)
        #expect(Balancer.choose(all, turn: 1, excluding: [], now: now)?.slot == 0)
    }

    @Test func sharesOfAHundred() {
        let shares = [CompiledStage.Share(stage: 3, percent: 10), CompiledStage.Share(stage: 5, percent: 25)]
        let drawn = (0..<100).map { Balancer.share(shares, random: $0) }
        #expect(drawn.filter { $0 == 3 }.count == 10)
        #expect(drawn.filter { $0 == 5 }.count == 25)
        #expect(drawn.filter { $0 == nil }.count == 65)
        #expect(Balancer.share([], random: 0) == nil)
    }
}
