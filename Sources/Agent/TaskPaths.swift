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
    /// Directories of this machine that volumes stand for, by the volume's name.
    let mounted = Mutex<[String: String]>([:])

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
        for path in [scratch] + assignment.spec.outputs.map({ output($0.name) }) + volumes.compactMap(ownFolder) {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    // MARK: - Volumes

    private var volumes: [Volume] { assignment.spec.session?.volumes ?? [] }

    /// nil for a mounted directory, which is not this task's.
    private func ownFolder(_ volume: Volume) -> String? {
        switch volume.source {
        case .fresh: "\(folder.work)/volume/\(volume.name)"
        case .folder(let path): "\(assignment.home)/\(path)"
        case .uri: nil
        }
    }

    /// Its folder on this machine.
    func folder(of volume: Volume) -> String {
        ownFolder(volume) ?? mounted.withLock { $0[volume.name] } ?? "\(folder.work)/volume/\(volume.name)"
    }

    /// In a volume that holds others, the folders that these are mounted on; without a sandbox, links to them.
    func createMountPoints() throws {
        for volume in volumes {
            let around = volumes.filter { volume.place.hasPrefix("\($0.place)/") }
            guard let parent = around.max(by: { $0.place.count < $1.place.count }) else { continue }
            let point = folder(of: parent) + volume.place.dropFirst(parent.place.count)
            if assignment.sandbox {
                try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
            } else if (try? FileManager.default.destinationOfSymbolicLink(atPath: point)) == nil {
                try FileManager.default.createSymbolicLink(atPath: point, withDestinationPath: folder(of: volume))
            }
        }
    }

    var volumeMounts: [Mount] { volumes.map { Mount(folder(of: $0), at: $0.place) } }

    /// What a volume that lies over a folder of this machine hides from the session and it still needs: the interpreter
    /// that the environment is made of, and uv.
    func hiddenTools(environment: String) -> [Mount] {
        let interpreter = URL(fileURLWithPath: "\(environment)/bin/python").resolvingSymlinksInPath().path
        let installation = ((interpreter as NSString).deletingLastPathComponent as NSString).deletingLastPathComponent
        let uv = Tool.find("uv").map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
        return ([installation] + [uv].compactMap { $0 }).filter { path in
            volumes.contains { path.hasPrefix("\($0.place)/") }
        }.map { Mount($0) }
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
        for volume in volumes {
            values[Placeholder.volume(volume.name)] = assignment.sandbox ? volume.place : folder(of: volume)
        }
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
        if assignment.spec.session != nil {
            // Who works here installs packages, from where this machine gets its own.
            for (name, value) in host where TaskPaths.isAboutPackages(name) { environment[name] = value }
        }
        for (name, value) in assignment.spec.environment { environment[name] = Placeholder.fill(value, values) }
        return environment
    }

    private static func isAboutPackages(_ name: String) -> Bool {
        [
            "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT", "UV_INDEX_URL", "UV_DEFAULT_INDEX",
            "UV_INDEX", "UV_FIND_LINKS",
        ].contains(name)
            || ["http_proxy", "https_proxy", "no_proxy"].contains(name.lowercased())
    }
}
