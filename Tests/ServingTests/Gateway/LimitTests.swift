import NIOCore
import Testing

@testable import Gateway

struct LimitTests {
    @Test func aBucketFillsAtItsRate() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let bucket = TokenBucket(StageRoute.RateLimit(perSecond: 10, burst: 3), now: start)
        #expect((0..<5).map { _ in bucket.take(now: start) } == [nil, nil, nil, 1, 1])
        #expect(bucket.take(now: start + .milliseconds(99)) == 1)
        #expect(bucket.take(now: start + .milliseconds(101)) == nil)
        #expect(bucket.take(now: start + .milliseconds(102)) == 1)
        // A pause fills it to the burst and no further.
        #expect((0..<5).map { _ in bucket.take(now: start + .seconds(60)) } == [nil, nil, nil, 1, 1])
        // A loop whose clock was read earlier does not empty it.
        #expect(bucket.take(now: start) == 1)
        #expect(bucket.take(now: start + .milliseconds(60_101)) == nil)
    }

    @Test func nonsenseLetsOneThroughASecond() {
        let start = NIODeadline.uptimeNanoseconds(0)
        let bucket = TokenBucket(StageRoute.RateLimit(perSecond: 0, burst: 0), now: start)
        #expect(bucket.take(now: start) == nil)
        #expect(bucket.take(now: start) == 1)
        #expect(bucket.take(now: start + .seconds(1)) == nil)
    }

    @Test func keysAreComparedByTheirHash() {
        let ring = KeyRing([
            "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8",  // alpha
            "F44E64E75F3948E9F73F8DFA94721C4CE8CBB4F265C4790C702B2D41CFBF2753",  // beta
        ])
        func holds(_ key: String) -> Bool { Array(key.utf8).withUnsafeBytes { ring.holds($0) } }
        #expect(holds("alpha") && holds("beta"))
        #expect(!holds("gamma") && !holds("") && !holds("alph") && !holds("Alpha"))
    }

    @Test func whatIsNoHashLetsNobodyIn() {
        for text in ["", "xyz", "8ed3f6", "8e d3"] {
            let ring = KeyRing([text])
            #expect(!ring.isEmpty)
            #expect(!ring.holds(UnsafeRawBufferPointer(start: nil, count: 0)))
        }
        #expect(KeyRing([]).isEmpty)
    }
}
