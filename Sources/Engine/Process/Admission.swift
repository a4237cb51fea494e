import Resource

/// Decides which workloads run now: all tasks of a gang or none, by priority and then by arrival, memory and GPUs strictly,
/// CPUs up to the overcommitted number.
///
/// Nothing overtakes a workload that waits at the head: a stream of small ones would keep a large one out for ever.
package struct Admission {
    package struct Holder: Sendable {
        package var title: String
        package var resources: Resources
        package var gpus: [[Int]]
    }

    private struct Waiting {
        var id: String
        var title: String
        var priority: Int
        var arrival: Int
        var tasks: [Resources]
    }

    package let capacity: Capacity
    private var arrivals = 0
    private var waiting: [Waiting] = []
    private var holders: [String: Holder] = [:]

    package init(capacity: Capacity) {
        self.capacity = capacity
    }

    private static func total(_ tasks: [Resources]) -> Resources {
        tasks.reduce(into: Resources(cpus: 0, memoryMiB: 0)) { sum, task in
            sum.cpus += task.cpus
            sum.memoryMiB += task.memoryMiB
            sum.gpus += task.gpus
        }
    }

    private var used: Resources { Admission.total(holders.values.map(\.resources)) }

    package var capacityWithUse: Capacity {
        var result = capacity
        let used = used
        result.usedCPUs = used.cpus
        result.usedMemoryMiB = used.memoryMiB
        result.usedGPUs = holders.values.flatMap { $0.gpus.flatMap { $0 } }.sorted()
        result.isShortOfMemory =
            waiting.first.map { used.memoryMiB + Admission.total($0.tasks).memoryMiB > capacity.memoryMiB } ?? false
        return result
    }

    /// - Throws: where the gang could not run even on the idle machine.
    package func check(_ tasks: [Resources]) throws {
        let wanted = Admission.total(tasks)
        let nodes = tasks.count == 1 ? "" : " for \(tasks.count) nodes together"
        if wanted.gpus > capacity.gpus {
            throw TakumiError(
                .invalid,
                capacity.gpus == 0
                    ? "this machine has no GPU (nvidia-smi finds none); choose a CPU image and a CPU instance type"
                    : "needs \(wanted.gpus) GPUs\(nodes); this machine has \(capacity.gpus)", field: "flavorId")
        }
        if wanted.memoryMiB > capacity.memoryMiB {
            throw TakumiError(
                .invalid,
                "needs \(gibibytes(wanted.memoryMiB)) of memory\(nodes); this machine offers \(gibibytes(capacity.memoryMiB))",
                field: "flavorId")
        }
        if wanted.cpus > Double(capacity.cpus) {
            throw TakumiError(
                .invalid, "needs \(vCPUs(wanted.cpus))\(nodes); this machine offers \(capacity.cpus)",
                field: "flavorId")
        }
    }

    package mutating func enqueue(id: String, title: String, priority: Int, tasks: [Resources]) {
        guard holders[id] == nil, !waiting.contains(where: { $0.id == id }) else { return }
        arrivals += 1
        let entry = Waiting(id: id, title: title, priority: priority, arrival: arrivals, tasks: tasks)
        let index = waiting.firstIndex { ($0.priority, -$0.arrival) < (priority, -arrivals) } ?? waiting.endIndex
        waiting.insert(entry, at: index)
    }

    /// Takes back what a workload was given before a restart, without asking whether it still fits.
    package mutating func restore(id: String, title: String, tasks: [Resources], gpus: [[Int]]) {
        holders[id] = Holder(title: title, resources: Admission.total(tasks), gpus: gpus)
    }

    /// - Returns: the workloads that may start now, each with the GPUs of its tasks.
    package mutating func admit() -> [(id: String, gpus: [[Int]])] {
        var admitted: [(id: String, gpus: [[Int]])] = []
        while let head = waiting.first, lacking(head) == nil {
            waiting.removeFirst()
            let gpus = assignGPUs(head.tasks)
            holders[head.id] = Holder(title: head.title, resources: Admission.total(head.tasks), gpus: gpus)
            admitted.append((head.id, gpus))
        }
        return admitted
    }

    package mutating func release(id: String) {
        holders[id] = nil
        waiting.removeAll { $0.id == id }
    }

    /// Why a workload waits, or nil where it does not.
    package func reason(id: String) -> String? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        let held =
            holders.count == 1
            ? "'\(holders.values.first?.title ?? "")' holds them" : "\(holders.count) running jobs hold them"
        if let lack = lacking(waiting[index]) { return "waiting for \(lack): \(held)" }
        return "waiting behind '\(waiting[0].title)', which came first"
    }

    private func lacking(_ entry: Waiting) -> String? {
        let wanted = Admission.total(entry.tasks)
        let used = used
        var lacks: [String] = []
        if used.gpus + wanted.gpus > capacity.gpus { lacks.append("\(wanted.gpus) GPU") }
        if used.memoryMiB + wanted.memoryMiB > capacity.memoryMiB {
            lacks.append("\(gibibytes(wanted.memoryMiB)) of memory")
        }
        if used.cpus + wanted.cpus > Double(capacity.cpus) { lacks.append(vCPUs(wanted.cpus)) }
        return lacks.isEmpty ? nil : lacks.joined(separator: " and ")
    }

    private func assignGPUs(_ tasks: [Resources]) -> [[Int]] {
        let taken = Set(holders.values.flatMap { $0.gpus.flatMap { $0 } })
        var free = (0..<capacity.gpus).filter { !taken.contains($0) }[...]
        return tasks.map { task in
            defer { free = free.dropFirst(task.gpus) }
            return Array(free.prefix(task.gpus))
        }
    }
}

/// `4096` → `4.0 GiB`.
package func gibibytes(_ mebibytes: Int) -> String {
    let tenths = (mebibytes * 10 + 512) / 1024
    return "\(tenths / 10).\(tenths % 10) GiB"
}

/// `2 vCPU`, `0.5 vCPU`.
package func vCPUs(_ count: Double) -> String { "\(decimal(count)) vCPU" }

/// Without a point where there is nothing behind it.
package func decimal(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return Int(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
}
