import ServingKit

/// Where pods find room on a stage's instances: the largest first, each on the instance with the least room that is enough,
/// so that others can be given back. Pure.
///
/// The check of a request and the placing itself both ask it: what the one lets pass, the other finds a place for.
struct Packing {
    /// What one instance offers.
    private let room: Allotment
    private var free: [(node: Int, room: Allotment)]

    init(nodes: some Sequence<Int>, room: Allotment) {
        self.room = room
        free = nodes.map { ($0, room) }
    }

    /// A pod is there already. On an instance that takes no more it says nothing.
    mutating func occupy(_ node: Int, by allotment: Allotment) {
        guard let index = free.firstIndex(where: { $0.node == node }) else { return }
        free[index].room = free[index].room - allotment
    }

    /// - Returns: the instance; nil where none has room.
    mutating func place(_ allotment: Allotment) -> Int? {
        let fitting = free.indices.filter { allotment.fits(in: free[$0].room) }
        let best = fitting.min { left, right in
            let (a, b) = (free[left], free[right])
            // Sums of tenths are not exact, and what is left must not depend on how it was reckoned.
            let (cpus, others) = ((a.room.cpus * 1000).rounded(), (b.room.cpus * 1000).rounded())
            return (cpus, a.room.memoryMiB, a.node) < (others, b.room.memoryMiB, b.node)
        }
        guard let best else { return nil }
        free[best].room = free[best].room - allotment
        return free[best].node
    }

    /// How many further instances pods need beyond those that there are.
    mutating func furtherNodes(for pods: [Allotment]) -> Int {
        let existing = free.count
        for pod in largestFirst(pods) where place(pod) == nil { free.append((Int.max - free.count, room - pod)) }
        return free.count - existing
    }

    func largestFirst(_ pods: [Allotment]) -> [Allotment] { pods.sorted(by: isLarger) }

    /// By the part of an instance that it takes.
    func isLarger(_ left: Allotment, _ right: Allotment) -> Bool {
        (part(left), left.cpus, left.memoryMiB) > (part(right), right.cpus, right.memoryMiB)
    }

    private func part(_ pod: Allotment) -> Double {
        max(
            pod.cpus / room.cpus, Double(pod.memoryMiB) / Double(room.memoryMiB),
            room.gpus > 0 ? Double(pod.gpus) / Double(room.gpus) : 0)
    }
}
