import Control
import Resource
import Testing

@Suite struct WorkQueueTests {
    private let a = ResourceKey(.init("thing"), "a")
    private let b = ResourceKey(.init("thing"), "b")

    @Test func givesEachKeyOnceInOrder() {
        var queue = WorkQueue()
        queue.add(a)
        queue.add(b)
        queue.add(a)
        #expect(queue.take() == a)
        #expect(queue.take() == b)
        #expect(queue.take() == nil)
    }

    @Test func holdsAKeyBackWhileItIsWorkedOn() {
        var queue = WorkQueue()
        queue.add(a)
        #expect(queue.take() == a)
        queue.add(a)
        #expect(queue.take() == nil)
        queue.finish(a, now: .zero)
        #expect(queue.take() == a)
        queue.finish(a, now: .zero)
        #expect(queue.take() == nil)
    }

    @Test func looksAgainWhenAsked() {
        var queue = WorkQueue()
        queue.add(a)
        _ = queue.take()
        queue.finish(a, now: .seconds(1), again: .seconds(10))
        queue.advance(to: .seconds(10))
        #expect(queue.take() == nil)
        #expect(queue.nextDue == .seconds(11))
        queue.advance(to: .seconds(11))
        #expect(queue.take() == a)
    }

    @Test func backsOffLongerEachTimeAndForgetsOnSuccess() {
        var queue = WorkQueue()
        var delays: [Duration] = []
        var now = Duration.zero
        for _ in 0..<12 {
            queue.add(a)
            _ = queue.take()
            let delay = queue.fail(a, now: now)
            delays.append(delay)
            now += delay
            queue.advance(to: now)
        }
        #expect(delays.prefix(3) == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(delays.last == .seconds(30))
        #expect(queue.take() == a)
        queue.finish(a, now: now)
        queue.add(a)
        _ = queue.take()
        #expect(queue.fail(a, now: now) == .milliseconds(100))
    }

    @Test func keepsItsOrderOverManyKeys() {
        var queue = WorkQueue()
        let keys = (0..<5000).map { ResourceKey(.init("thing"), "\($0)") }
        for key in keys { queue.add(key) }
        var taken: [ResourceKey] = []
        while let key = queue.take() {
            taken.append(key)
            queue.finish(key, now: .zero)
        }
        #expect(taken == keys)
    }
}
