import Foundation
import ServingKit

/// The rules of Kubernetes' cluster autoscaler for a stage's instances (SEMANTICS.md, Autoscaling). Pure.
struct NodeScaler {
    struct Pod {
        var node: Int
        var allotment: Allotment
    }

    let rule: NodeAutoscaler
    /// What one instance offers.
    let room: Allotment
    let now: Date

    /// - Parameters:
    ///   - missing: pods that are wanted and not there.
    ///   - displaced: pods on instances that are being emptied, for which there is no other yet.
    /// - Returns: the instances that there are to be, those marked that are to be emptied first.
    func scaled(
        _ nodes: [StageStatus.Node], pods: [Pod], missing: [Allotment], displaced: [Allotment] = []
    ) -> [StageStatus.Node] {
        var nodes = nodes
        // One that is to go and is empty has gone.
        nodes.removeAll { node in node.isLeaving && !pods.contains { $0.node == node.number } }
        var lacking = unplaced(missing + displaced, on: nodes, pods)
        if lacking > 0, nodes.contains(where: \.isLeaving) {
            // What was about to go is needed again.
            for index in nodes.indices where nodes[index].isLeaving {
                (nodes[index].isLeaving, nodes[index].unneededSince) = (false, nil)
            }
            lacking = unplaced(missing, on: nodes, pods)
        }
        if lacking > 0 || nodes.count < rule.minNodes {
            for _ in 0..<lacking where nodes.count < rule.maxNodes { add(to: &nodes) }
            while nodes.count < rule.minNodes { add(to: &nodes) }
            return nodes.map { node in
                var node = node
                node.unneededSince = nil
                return node
            }
        }
        guard rule.scalesDown else { return nodes }
        for index in nodes.indices where !nodes[index].isLeaving {
            let isUnneeded =
                utilisation(of: nodes[index].number, pods) < Double(rule.threshold) / 100
                && canMove(nodes[index].number, nodes, pods)
            nodes[index].unneededSince = isUnneeded ? nodes[index].unneededSince ?? now : nil
        }
        if let candidate = candidate(nodes) { nodes[candidate].isLeaving = true }
        return nodes
    }

    private func add(to nodes: inout [StageStatus.Node]) {
        let number = (1...).first { number in !nodes.contains { $0.number == number } } ?? 1
        nodes.append(.init(number: number, addedAt: now))
    }

    /// How many instances more the pods need that find no room.
    private func unplaced(_ missing: [Allotment], on nodes: [StageStatus.Node], _ pods: [Pod]) -> Int {
        var packing = Packing(nodes: nodes.filter { !$0.isLeaving }.map(\.number), room: room)
        for pod in pods { packing.occupy(pod.node, by: pod.allotment) }
        return packing.furtherNodes(for: missing)
    }

    private func used(on node: Int, _ pods: [Pod]) -> Allotment {
        pods.filter { $0.node == node }.reduce(.none) { $0 + $1.allotment }
    }

    /// Requested ÷ offered, of what is used most; GPUs alone on instances that have some.
    private func utilisation(of node: Int, _ pods: [Pod]) -> Double {
        let used = used(on: node, pods)
        if room.gpus > 0 { return Double(used.gpus) / Double(room.gpus) }
        return max(used.cpus / room.cpus, Double(used.memoryMiB) / Double(room.memoryMiB))
    }

    private func canMove(_ node: Int, _ nodes: [StageStatus.Node], _ pods: [Pod]) -> Bool {
        let others = nodes.filter { $0.number != node && !$0.isLeaving }
        return unplaced(
            pods.filter { $0.node == node }.map(\.allotment), on: others, pods.filter { $0.node != node }) == 0
    }

    /// One at a time: the one that has been unneeded for longest.
    private func candidate(_ nodes: [StageStatus.Node]) -> Int? {
        guard nodes.count > rule.minNodes, !nodes.contains(where: \.isLeaving) else { return nil }
        let lastAdded = nodes.map(\.addedAt).max() ?? .distantPast
        guard now.timeIntervalSince(lastAdded) >= Double(rule.delayAfterAddMinutes * 60) else { return nil }
        return nodes.indices
            .filter { index in
                nodes[index].unneededSince.map { now.timeIntervalSince($0) >= Double(rule.unneededMinutes * 60) }
                    ?? false
            }
            .min { (nodes[$0].unneededSince ?? now) < (nodes[$1].unneededSince ?? now) }
    }
}
