/// The memory that bodies of requests may take, all of them together. Without a bound, clients could ask for more than the pod
/// has, and it would be killed with everybody's requests.
struct BodyMemory {
    /// What a byte of JSON may come to at most, where numbers have one digit: itself, its tokens, the numbers in eight bytes
    /// each, and copies of those on the way to the worker, in it and in the model. Measured at 20 with scikit-learn.
    private static let ofJSON = 20
    /// The same for a byte of binary data, which is not parsed.
    private static let ofBinary = 6

    /// Bytes of a body, whatever the memory.
    private let largest: Int
    /// nil where nobody ends a pod for what it takes.
    private let podMiB: Int?
    /// Bytes for all bodies together.
    private(set) var all: Int
    /// Below zero where less has been found than was given away.
    private(set) var free: Int

    init(largest: Int, podMiB: Int?) {
        self.largest = largest
        self.podMiB = podMiB
        all = podMiB.map { $0 << 20 / 8 } ?? BodyMemory.ofJSON * max(2 * largest, 1 << 30)
        free = all
    }

    /// Now that the model is loaded, it is known what it leaves.
    /// - Parameter used: bytes that the pod takes without any request.
    mutating func settle(used: Int) {
        guard let podMiB else { return }
        let pod = podMiB << 20
        // A quarter of the rest is for what comes with the first requests, and for answers. A pod that is full without any
        // request still gets small ones.
        let settled = max(pod / 32, (pod - used) / 4 * 3)
        free += settled - all
        all = settled
    }

    /// Sets memory aside for a body of `size` bytes, of which `held` have been set aside for already.
    /// - Parameter jsonLength: where binary data begin; nil for JSON alone.
    mutating func take(_ size: Int, held: Int, jsonLength: Int?) throws(ServingError) {
        let limit = limit(jsonLength: jsonLength)
        guard size <= limit else { throw ServingError(413, refusal(limit)) }
        let more = cost(size, jsonLength) - cost(held, jsonLength)
        guard more <= free else {
            throw ServingError(503, "The bodies of waiting requests fill all memory set aside for them.", retryAfter: 1)
        }
        free -= more
    }

    mutating func giveBack(_ size: Int, jsonLength: Int?) { free += cost(size, jsonLength) }

    /// The largest body, in bytes.
    func limit(jsonLength: Int?) -> Int {
        let json = min(max(0, jsonLength ?? .max), all / BodyMemory.ofJSON)
        return min(largest, json + (jsonLength == nil ? 0 : (all - json * BodyMemory.ofJSON) / BodyMemory.ofBinary))
    }

    private func cost(_ size: Int, _ jsonLength: Int?) -> Int {
        let json = min(size, max(0, jsonLength ?? .max))
        return json * BodyMemory.ofJSON + (size - json) * BodyMemory.ofBinary
    }

    private func refusal(_ limit: Int) -> String {
        guard let podMiB, limit < largest else { return "The body is larger than the limit of \(limit) bytes." }
        return
            "The body is larger than \(limit) bytes, for which the pod's \(podMiB) MiB of memory suffice beside the model: "
            + "send less at once, or give the pod more memory."
    }
}
