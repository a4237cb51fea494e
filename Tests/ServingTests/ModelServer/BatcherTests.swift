import NIOCore
import Testing

@testable import ModelServer

struct BatcherTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var limits = Batcher.Limits()

    private func kind(_ name: String = "x", _ datatype: Datatype = .fp32, columns: Int = 4) -> Batcher.Kind {
        Batcher.Kind(
            dialect: .v2, verb: .predict,
            inputs: [TensorHead(name: name, datatype: datatype, shape: [1, columns], size: 16)])
    }

    private func id(_ number: UInt64) -> RequestID { RequestID(number: number) }

    private func add(_ batcher: Subject, _ number: UInt64, _ kind: Batcher.Kind, rows: Int = 1, bytes: Int = 16) {
        batcher.add(id(number), kind, rows: rows, bytes: bytes, now: start + .microseconds(Int64(number)))
    }

    /// A reference, since `#expect` takes no changing calls of values.
    private final class Subject {
        private var batcher: Batcher
        init(_ limits: Batcher.Limits) { batcher = Batcher(limits: limits) }
        var waiting: Int { batcher.waiting }
        func add(_ id: RequestID, _ kind: Batcher.Kind, rows: Int, bytes: Int, now: NIODeadline) {
            batcher.add(id, kind: kind, rows: rows, bytes: bytes, now: now)
        }
        func next(now: NIODeadline) -> Batcher.Step { batcher.next(now: now) }
        func finish(rows: Int) { batcher.finish(rows: rows) }
        func remove(_ id: RequestID) -> Bool { batcher.remove(id) }
        func forgetCalls() { batcher.forgetCalls() }
    }

    private func sent(_ step: Batcher.Step) -> [UInt64] {
        if case .send(let ids, _) = step { ids.map(\.number) } else { [] }
    }

    private var later: NIODeadline { start + .seconds(1) }

    @Test func anIdleWorkerGetsACallAtOnce() {
        let batcher = Subject(limits)
        #expect(batcher.next(now: later) == .nothing)
        add(batcher, 1, kind())
        #expect(batcher.next(now: later) == .send([id(1)], rows: [1]))
        #expect(batcher.next(now: later) == .nothing)
        #expect(batcher.waiting == 0)
    }

    @Test func whatArrivedWhileItWasBusyGoesTogether() {
        let batcher = Subject(Batcher.Limits(calls: 1))
        add(batcher, 1, kind())
        #expect(sent(batcher.next(now: later)) == [1])
        for number in 2...6 { add(batcher, UInt64(number), kind(), rows: number) }
        #expect(batcher.next(now: later) == .nothing)
        batcher.finish(rows: 1)
        #expect(batcher.next(now: later) == .send([2, 3, 4, 5, 6].map { id($0) }, rows: [2, 3, 4, 5, 6]))
    }

    @Test func aSecondCallWaitsUntilItIsHalfAsLargeAsTheFirst() {
        let batcher = Subject(limits)
        add(batcher, 1, kind(), rows: 5)
        #expect(sent(batcher.next(now: later)) == [1])
        add(batcher, 2, kind())
        add(batcher, 3, kind())
        #expect(batcher.next(now: later) == .nothing)
        add(batcher, 4, kind())
        #expect(sent(batcher.next(now: later)) == [2, 3, 4])
        add(batcher, 5, kind(), rows: 32)
        #expect(batcher.next(now: later) == .nothing, "the worker has two calls")
        batcher.finish(rows: 5)
        #expect(sent(batcher.next(now: later)) == [5])
    }

    @Test func rowsAndBytesBoundACall() {
        let batcher = Subject(Batcher.Limits(rows: 10, bytes: 100))
        add(batcher, 1, kind(), rows: 6)
        add(batcher, 2, kind(), rows: 4)
        add(batcher, 3, kind(), rows: 1)
        #expect(sent(batcher.next(now: later)) == [1, 2])
        batcher.finish(rows: 10)
        add(batcher, 4, kind(), bytes: 90)
        #expect(sent(batcher.next(now: later)) == [3])
        batcher.finish(rows: 1)
        #expect(sent(batcher.next(now: later)) == [4])
    }

    @Test func aRequestAboveTheLimitGoesAlone() {
        let batcher = Subject(Batcher.Limits(rows: 8))
        add(batcher, 1, kind(), rows: 100)
        add(batcher, 2, kind())
        #expect(sent(batcher.next(now: later)) == [1])
        batcher.finish(rows: 100)
        #expect(sent(batcher.next(now: later)) == [2])
    }

    @Test func differentKindsAreNotJoined() {
        let batcher = Subject(Batcher.Limits(calls: 1))
        let kinds = [
            kind(), kind("y"), kind("x", .fp64), kind("x", .fp32, columns: 5),
            Batcher.Kind(dialect: .v2, verb: .predict),
            Batcher.Kind(dialect: .v1, verb: .predict), Batcher.Kind(dialect: .v1, verb: .explain),
        ]
        for (index, kind) in kinds.enumerated() { add(batcher, UInt64(index + 1), kind) }
        for number in 1...kinds.count {
            #expect(sent(batcher.next(now: later)) == [UInt64(number)])
            batcher.finish(rows: 1)
        }
    }

    @Test func theOldestGoesFirstSoThatNoKindStarves() {
        let batcher = Subject(Batcher.Limits(rows: 2, calls: 1))
        for number: UInt64 in [1, 2, 3, 5, 6] { add(batcher, number, kind()) }
        add(batcher, 4, kind("y"))
        var order: [[UInt64]] = []
        while case .send(let ids, let rows) = batcher.next(now: later) {
            order.append(ids.map(\.number))
            batcher.finish(rows: rows.reduce(0, +))
        }
        #expect(order == [[1, 2], [3, 5], [4], [6]])
    }

    @Test func aWindowWaitsForMoreButNotWhenFull() {
        let batcher = Subject(Batcher.Limits(rows: 2, window: .milliseconds(5)))
        add(batcher, 0, kind())
        #expect(batcher.next(now: start) == .wait(until: start + .milliseconds(5)))
        add(batcher, 1, kind())
        #expect(sent(batcher.next(now: start + .microseconds(1))) == [0, 1])
        batcher.finish(rows: 2)
        add(batcher, 2, kind())
        #expect(sent(batcher.next(now: start + .milliseconds(6))) == [2])
    }

    @Test func modelsThatDoNotBatchGetOneAtATime() {
        let batcher = Subject(Batcher.Limits(calls: 1))
        var alone = kind()
        alone.alone = true
        add(batcher, 1, alone)
        add(batcher, 2, alone)
        #expect(sent(batcher.next(now: later)) == [1])
        batcher.finish(rows: 1)
        #expect(sent(batcher.next(now: later)) == [2])
    }

    @Test func whatIsTakenBackIsNotSent() {
        let batcher = Subject(Batcher.Limits(calls: 1))
        add(batcher, 1, kind())
        add(batcher, 2, kind())
        add(batcher, 3, kind("y"))
        #expect(batcher.remove(id(1)))
        #expect(!batcher.remove(id(1)))
        #expect(batcher.remove(id(3)))
        #expect(sent(batcher.next(now: later)) == [2])
        #expect(!batcher.remove(id(2)))
        batcher.forgetCalls()
        #expect(batcher.next(now: later) == .nothing)
        #expect(batcher.waiting == 0)
    }
}
