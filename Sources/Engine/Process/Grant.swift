/// What admission gave a gang. Written once, before any of its agents starts, and read again after a restart.
struct Grant: Codable, Sendable {
    /// GPU indices by task.
    var gpus: [[Int]]
    /// Ports by task and name.
    var ports: [[String: Int]]

    init(workload: Workload, gpus: [[Int]]) throws {
        self.gpus = gpus
        var free = try Ports.reserve(workload.tasks.map(\.ports.count).reduce(0, +))[...]
        ports = workload.tasks.map { task in
            defer { free = free.dropFirst(task.ports.count) }
            return Dictionary(uniqueKeysWithValues: zip(task.ports, free))
        }
    }

    /// Puts the reserved ports where a task's command and environment name them.
    func resolved(_ spec: TaskSpec) -> TaskSpec {
        var values: [String: String] = [:]
        for (task, names) in ports.enumerated() {
            for (name, port) in names { values[Placeholder.port(task: task, name)] = String(port) }
        }
        var spec = spec
        spec.command = spec.command.map { Placeholder.fill($0, values) }
        spec.environment = spec.environment.mapValues { Placeholder.fill($0, values) }
        return spec
    }
}
