import Foundation
import Resource

/// Where a workload's files lie under the server's home, and what each is for.
package struct WorkloadFolder: Sendable {
    package let path: String

    package init(home: String, id: String) {
        path = "\(home)/workloads/\(id)"
    }

    package var workload: String { "\(path)/workload.json" }
    /// Written before the first agent starts: ports and GPUs that the gang was given.
    package var grant: String { "\(path)/grant.json" }
    /// Its presence asks every agent of the gang to stop.
    package var stop: String { "\(path)/stop" }

    /// The ids of all workloads that begin so and have not been removed.
    package static func ids(home: String, beginningWith prefix: String) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "\(home)/workloads")) ?? []
        return all.filter { $0.hasPrefix(prefix) }
    }

    package func task(_ index: Int) -> TaskFolder { TaskFolder(path: "\(path)/\(index)") }

    /// One empty file per workload that has not ended, so that a restart need not look at all the old ones.
    package static func active(home: String, id: String) -> String { "\(home)/workloads/active/\(id)" }
}

package struct TaskFolder: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    package var assignment: String { "\(path)/task.json" }
    package var state: String { "\(path)/state.json" }
    /// Locked by the agent as long as it lives.
    package var lock: String { "\(path)/lock" }
    package var log: String { "\(path)/log" }
    package var samples: String { "\(path)/samples.jsonl" }
    /// What the agent itself prints, for the case that it cannot even start.
    package var agentLog: String { "\(path)/agent.log" }
    package var work: String { "\(path)/work" }
    /// Disk space kept for recording the end.
    package var reserve: String { "\(path)/reserve" }

    package func readState() -> TaskState? { JSONFile.read(TaskState.self, at: state) }
    package func write(_ state: TaskState) throws { try JSONFile.write(state, to: self.state) }

    /// True while an agent holds the lock. The kernel drops it with the process, however that ended.
    package func isAgentAlive() -> Bool {
        guard let held = FileLock(path: lock, create: false) else { return false }
        return !held.tryLock()
    }
}

/// A task as handed to its agent: everything it needs to know, in one file.
package struct TaskAssignment: Codable, Sendable {
    package var workloadID: String
    package var owner: ResourceKey
    package var project: String
    package var index: Int
    package var count: Int
    package var spec: TaskSpec
    package var timeLimit: Int?
    /// The GPUs' indices on this machine.
    package var gpus: [Int]
    package var home: String
    /// Where image environments are kept.
    package var environments: String
    /// Use bubblewrap: the server has tried that it works.
    package var sandbox: Bool
    /// Name of the abstract socket that wants to hear of each step.
    package var news: String
    /// Where warm images are kept; nil where they are switched off.
    package var warm: WarmSettings?
}

/// Interpreters that wait with their framework imported.
package struct WarmSettings: Codable, Sendable, Equatable {
    /// `warm.py`, which such an interpreter runs.
    package var program: String
    /// Where they leave their sockets. Below the home, so that no sandboxed program reaches them.
    package var folder: String
    /// Seconds without a run after which one ends.
    package var idle: Int

    package init(program: String, folder: String, idle: Int) {
        self.program = program
        self.folder = folder
        self.idle = idle
    }
}

/// JSON files that are replaced whole.
package enum JSONFile {
    package static func read<T: Decodable>(_ type: T.Type, at path: String) -> T? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try? decoder.decode(type, from: data)
    }

    /// Writes beside the target and renames over it, so that a reader never sees half a file, whatever is killed.
    ///
    /// Not by Foundation, which waits for the disk each time, six times a run: what these files tell survives a killed process,
    /// and after a power cut the runs that they tell of are gone anyway.
    package static func write<T: Encodable>(_ value: T, to path: String) throws {
        let temporary = "\(path).\(getpid()).tmp"
        let data = try encoder.encode(value)
        do {
            let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw SystemError("write \(path)") }
            defer { close(descriptor) }
            var rest = data[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 || errno == EINTR else { throw SystemError("write \(path)") }
                rest = rest.dropFirst(max(0, count))
            }
            guard rename(temporary, path) == 0 else { throw SystemError("rename \(path)") }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .secondsSince1970
        return encoder
    }()

    private static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return decoder
    }()
}
