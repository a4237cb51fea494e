import Engine
import Foundation
import Synchronization

/// The folders of one task, and what its placeholders stand for.
final class TaskPaths: Sendable {
    private let folder: TaskFolder
    private let assignment: TaskAssignment
    private let memory = Mutex(false)
    /// Folders outside that inputs are links to.
    let linked = Mutex<[String]>([])

    init(folder: TaskFolder, assignment: TaskAssignment) {
        self.folder = folder
        self.assignment = assignment
    }

    /// Set from the second thread that watches.
    var killedForMemory: Bool {
        get { memory.withLock { $0 } }
        set { memory.withLock { $0 = newValue } }
    }

    /// Makes the folders that are not fetched.
    func create() throws {
        for path in [scratch] + assignment.spec.outputs.map({ output($0.name) }) {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    func input(_ name: String) -> String {
        name == TaskSpec.source ? "\(folder.work)/source" : "\(folder.work)/input/\(name)"
    }

    func output(_ name: String) -> String {
        let destination = assignment.spec.outputs.first { $0.name == name }?.destination
        if case .folder(let path) = destination { return "\(assignment.home)/\(path)" }
        return "\(folder.work)/output/\(name)"
    }

    private var scratch: String { "\(folder.work)/home" }

    /// The program's folder, or a scratch one where there is no program.
    var directory: String {
        assignment.spec.inputs.contains { $0.name == TaskSpec.source } ? input(TaskSpec.source) : scratch
    }

    var readable: [Mount] {
        assignment.spec.inputs.filter { !$0.writable }.map { input($0.name) }.map { path in
            // Of a mounted directory the input is a link; the program sees the directory in its place.
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
            return Mount(target ?? path, at: path)
        } + linked.withLock { $0.map { Mount($0) } } + (assignment.spec.readable ?? []).map { Mount($0) }
    }

    var writable: [String] {
        [scratch] + assignment.spec.inputs.filter(\.writable).map { input($0.name) }
            + assignment.spec.outputs.map { output($0.name) }
    }

    func placeholders(environment: String) -> [String: String] {
        var values = [
            Placeholder.python: "\(environment)/bin/python", Placeholder.bin: "\(environment)/bin",
            Placeholder.work: scratch,
        ]
        for input in assignment.spec.inputs { values[Placeholder.input(input.name)] = self.input(input.name) }
        for output in assignment.spec.outputs { values[Placeholder.output(output.name)] = self.output(output.name) }
        return values
    }

    func environment(filling values: [String: String]) -> [String: String] {
        let host = ProcessInfo.processInfo.environment
        var environment = [
            "PATH": "\(values[Placeholder.bin] ?? ""):\(host["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")",
            "HOME": scratch, "LANG": host["LANG"] ?? "C.UTF-8",
            // Lines must arrive when they are printed, not when a buffer is full.
            "PYTHONUNBUFFERED": "1",
            "CUDA_VISIBLE_DEVICES": assignment.gpus.map(String.init).joined(separator: ","),
        ]
        for name in ["LD_LIBRARY_PATH", "SSL_CERT_FILE", "TZ"] { environment[name] = host[name] }
        for (name, value) in assignment.spec.environment { environment[name] = Placeholder.fill(value, values) }
        return environment
    }
}
