import Testing

@testable import ModelServer

/// What a pod lets in of requests' bodies.
struct BodyMemoryTests {
    private func refusal(_ memory: inout BodyMemory, _ size: Int, jsonLength: Int? = nil) -> ServingError? {
        do throws(ServingError) {
            try memory.take(size, held: 0, jsonLength: jsonLength)
            return nil
        } catch {
            return error
        }
    }

    @Test func theLimitFollowsThePodsMemory() {
        var memory = BodyMemory(largest: 512 << 20, podMiB: 512)
        memory.settle(used: 192 << 20)
        #expect(memory.all == 240 << 20)
        #expect(memory.limit(jsonLength: nil) == 12 << 20)
        // Behind three megabytes of JSON, the rest as binary data.
        #expect(memory.limit(jsonLength: 3 << 20) == (3 + 30) << 20)
        #expect(memory.limit(jsonLength: -1) == 40 << 20)
        let error = refusal(&memory, 12 << 20 + 1)
        #expect(error?.status == 413)
        #expect(
            error?.message
                == "The body is larger than 12582912 bytes, for which the pod's 512 MiB of memory suffice beside the model: send less at once, or give the pod more memory."
        )
        // JSON that says it is binary is reckoned as what it is.
        #expect(refusal(&memory, 13 << 20, jsonLength: 13 << 20)?.status == 413)
        #expect(memory.free == 240 << 20)
    }

    @Test func aModelThatLeavesNothingGetsSmallBodies() {
        var memory = BodyMemory(largest: 512 << 20, podMiB: 640)
        memory.settle(used: 700 << 20)
        #expect(memory.limit(jsonLength: nil) == 1 << 20)
    }

    @Test func whatHasBeenGivenAwayIsWaitedFor() throws {
        var memory = BodyMemory(largest: 512 << 20, podMiB: 640)
        try memory.take(4 << 20, held: 0, jsonLength: nil)
        memory.settle(used: 640 << 20)
        #expect(memory.free < 0)
        #expect(refusal(&memory, 1)?.status == 503)
        memory.giveBack(4 << 20, jsonLength: nil)
        #expect(memory.free == 20 << 20)
    }

    @Test func muchMemoryLeavesTheLimitAsItIs() {
        var memory = BodyMemory(largest: 512 << 20, podMiB: 64 << 10)
        memory.settle(used: 1 << 30)
        #expect(memory.limit(jsonLength: nil) == 512 << 20)
        #expect(refusal(&memory, 512 << 20 + 1)?.message == "The body is larger than the limit of 536870912 bytes.")
    }

    @Test func allTogetherFindRoomOrComeAgain() throws {
        var memory = BodyMemory(largest: 512 << 20, podMiB: 512)
        memory.settle(used: 192 << 20)
        try memory.take(7 << 20, held: 0, jsonLength: nil)
        #expect(
            refusal(&memory, 7 << 20)
                == ServingError(
                    503, "The bodies of waiting requests fill all memory set aside for them.", retryAfter: 1))
        // The first goes on: what it has is not counted twice.
        try memory.take(12 << 20, held: 7 << 20, jsonLength: nil)
        #expect(memory.free == 0)
        memory.giveBack(12 << 20, jsonLength: nil)
        #expect(memory.free == 240 << 20)
    }
}
