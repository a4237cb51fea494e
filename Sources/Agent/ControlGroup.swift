import Engine
import Foundation

/// A control group for one task: a hard memory limit, and CPU by weight, so that idle cores are never wasted.
///
/// Works with cgroups v1 and v2 where this process may write them; elsewhere there is none, and the agent watches the
/// memory itself.
struct ControlGroup: Sendable {
    private let memory: String
    private let cpu: String?
    private let isV2: Bool

    /// - Returns: nil where control groups cannot be written.
    init?(name: String, resources: Resources) {
        let files = FileManager.default
        if files.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers") {
            isV2 = true
            let base = "/sys/fs/cgroup\(ControlGroup.ownPath(controller: ""))"
            let parent = "\(base)/takumi"
            memory = "\(parent)/\(name)"
            cpu = nil
            ControlGroup.put("+memory +cpu", in: "\(base)/cgroup.subtree_control")
            mkdir(parent, 0o755)
            ControlGroup.put("+memory +cpu", in: "\(parent)/cgroup.subtree_control")
            mkdir(memory, 0o755)
            guard ControlGroup.put("\(resources.memoryMiB)M", in: "\(memory)/memory.max") else {
                rmdir(memory)
                return nil
            }
            ControlGroup.put("0", in: "\(memory)/memory.swap.max")
            ControlGroup.put("\(Int(min(10000, max(1, 100 * resources.cpus))))", in: "\(memory)/cpu.weight")
        } else {
            isV2 = false
            func make(_ controller: String) -> String? {
                let base = "/sys/fs/cgroup/\(controller)"
                let own = base + ControlGroup.ownPath(controller: controller)
                let parent = (files.fileExists(atPath: own) ? own : base) + "/takumi"
                mkdir(parent, 0o755)
                mkdir("\(parent)/\(name)", 0o755)
                return files.isWritableFile(atPath: "\(parent)/\(name)/cgroup.procs") ? "\(parent)/\(name)" : nil
            }
            guard let memory = make("memory"),
                ControlGroup.put("\(resources.memoryMiB << 20)", in: "\(memory)/memory.limit_in_bytes")
            else { return nil }
            self.memory = memory
            cpu = make("cpu")
            if let cpu { ControlGroup.put("\(Int(max(2, 1024 * resources.cpus)))", in: "\(cpu)/cpu.shares") }
        }
    }

    /// The files through which a new process enters the group before it becomes the program, so that it is counted from its
    /// first page. (A shell that does this would drop environment variables such as `EM_HP_BATCH-SIZE`.)
    var entrances: [String] { [memoryEntrance] + (cpuEntrance.map { [$0] } ?? []) }
    var memoryEntrance: String { "\(memory)/cgroup.procs" }
    /// Where the two are apart.
    var cpuEntrance: String? { cpu.map { "\($0)/cgroup.procs" } }

    /// Lets a process in. May take the kernel some milliseconds.
    static func enter(_ entrance: String, _ process: pid_t) { put("\(process)", in: entrance) }

    /// How many of its processes the kernel has killed for memory.
    var outOfMemoryKills: Int {
        let path = isV2 ? "\(memory)/memory.events" : "\(memory)/memory.oom_control"
        return ControlGroup.value(of: "oom_kill", in: path) ?? 0
    }

    /// Bytes that its processes hold, without the page cache, which the kernel gives back by itself.
    var memoryBytes: Int? {
        ControlGroup.value(of: isV2 ? "anon" : "rss", in: "\(memory)/memory.stat")
    }

    func remove() {
        // The kernel takes a moment to let go of the last process.
        for _ in 0..<50 where rmdir(memory) != 0 && errno == EBUSY { usleep(2000) }
        if let cpu { rmdir(cpu) }
    }

    private static func value(of key: String, in path: String) -> Int? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == key { return Int(parts[1]) }
        }
        return nil
    }

    @discardableResult
    private static func put(_ text: String, in path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return write(descriptor, text, text.utf8.count) == text.utf8.count
    }

    /// This process's own group, from a line such as `4:memory:/user.slice`; for v2 the controller's field is empty.
    private static func ownPath(controller: String) -> String {
        let data = FileManager.default.contents(atPath: "/proc/self/cgroup") ?? Data()
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count == 3,
                parts[1].split(separator: ",").contains(Substring(controller)) || parts[1] == controller
            {
                return parts[2] == "/" ? "" : String(parts[2])
            }
        }
        return ""
    }
}
