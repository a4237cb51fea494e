import Control
import Resource
import Testing

@Suite struct WorkQueueTests {
    private let a = ResourceKey(.init("thing"), "a")
    private let b = ResourceKey(.init("thing"), "b")

    @Test func givesEachKeyOnceInOrder() {
        var queue = WorkQueue()
        queue.add(a, now: .zero)
        queue.add(b, now: .zero)
        queue.add(a, now: .zero)
        #expect(queue.take() == a)
        #expect(queue.take() == b)
        #expect(queue.take() == nil)
    }

    @Test func holdsAKeyBackWhileItIsWorkedOn() {
        var queue = WorkQueue()
        queue.add(a, now: .zero)
        #expect(queue.take() == a)
        queue.add(a, now: .zero)
        #expect(queue.take() == nil)
        queue.finish(a, now: .zero)
        #expect(queue.take() == a)
        queue.finish(a, now: .zero)
        #expect(queue.take() == nil)
    }

    @Test func looksAgainWhenAsked() {
        var queue = WorkQueue()
        queue.add(a, now: .zero)
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
            queue.add(a, now: now)
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
        queue.add(a, now: now)
        _ = queue.take()
        #expect(queue.fail(a, now: now) == .milliseconds(100))
    }

    /// What fails after it has written would call itself up for ever.
    @Test func itsOwnWritesDoNotCutItsBackOffShort() {
        var queue = WorkQueue()
        var now = Duration.zero
        queue.add(a, now: now)
        for _ in 0..<8 {
            #expect(queue.take() == a)
            queue.add(a, now: now)
            let delay = queue.fail(a, now: now)
            // Told a moment late.
            queue.add(a, now: now + .milliseconds(5))
            queue.advance(to: now + delay - .milliseconds(1))
            #expect(queue.take() == nil)
            now += delay
            queue.advance(to: now)
        }
        #expect(now > .seconds(15))
    }

    /// A queue in which `a` has failed so often that it waits 30 s, from second 30 on.
    private func failedOften() -> WorkQueue {
        var queue = WorkQueue()
        queue.add(a, now: .zero)
        for _ in 0..<9 {
            _ = queue.take()
            queue.fail(a, now: .zero)
            queue.advance(to: .seconds(30))
        }
        _ = queue.take()
        #expect(queue.fail(a, now: .seconds(30)) == .seconds(30))
        return queue
    }

    @Test func whatIsAddedToFailingWorkWaitsFiveSecondsAtMost() {
        var queue = failedOften()
        // A user's wish that comes at once after the failure.
        queue.add(a, now: .seconds(30) + .milliseconds(20))
        queue.advance(to: .seconds(35))
        #expect(queue.take() == nil)
        queue.advance(to: .seconds(36))
        #expect(queue.take() == a)
        // And one that comes while the work goes on.
        queue.add(a, now: .seconds(36))
        #expect(queue.fail(a, now: .seconds(37)) == .seconds(5))
    }

    @Test func whatChangesLaterIsLookedAtAtOnce() {
        var queue = failedOften()
        queue.add(a, now: .seconds(31))
        #expect(queue.take() == a)
    }

    @Test func keepsItsOrderOverManyKeys() {
        var queue = WorkQueue()
        let keys = (0..<5000).map { ResourceKey(.init("thing"), "\($0)") }
        for key in keys { queue.add(key, now: .zero) }
        var taken: [ResourceKey] = []
        while let key = queue.take() {
            taken.append(key)
            queue.finish(key, now: .zero)
        }
        #expect(taken == keys)
    }
}
