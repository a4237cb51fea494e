import Crypto
import Engine
import Foundation
import Resource
import Telemetry

/// Image environments on this machine: virtual environments that uv makes from an image's lock, named by their content,
/// never changed once they are ready, shared by all tasks.
///
/// A `requirements.txt` makes a further environment on top of the image's, named by both contents, so that the second run
/// with the same requirements starts at once.
struct EnvironmentCache {
    let folder: String
    let stop: StopRequest
    /// For installing what users ask for; nil where there is no sandbox.
    let sandbox: Sandbox?
    let home: String
    /// Hears what is being done, for the task's cause and log.
    let report: (String) -> Void
    /// Hears uv's own output.
    let log: (ArraySlice<UInt8>, LogLine.Stream) -> Void

    /// - Parameter requirements: a file of the user's, or nil.
    /// - Returns: the environment's folder, ready to use.
    /// - Throws: `TakumiError` with the reason in one line. Blocks.
    func environment(for image: ImageReference, requirements: String?) throws -> String {
        var digest = image.digest
        if let requirements {
            digest = try RequirementsDigest.of(requirements, image: image.digest)
        }
        let path = "\(folder)/\(digest.prefix(24))"
        let ready = "\(path)/.takumi-ready"
        // The common case must cost one look at the disk.
        if FileManager.default.fileExists(atPath: ready) { return path }

        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let lockPath = "\(path).lock"
        guard let lock = FileLock(path: lockPath) else { throw SystemError("lock \(path)") }
        while !lock.tryLock() {
            // Whoever installs writes its progress there.
            let progress = FileManager.default.contents(atPath: lockPath).map { String(decoding: $0, as: UTF8.self) }
            report(progress.flatMap { $0.isEmpty ? nil : $0 } ?? "installing image \(image.name)")
            if stop.isRequested { throw CancellationError() }
            usleep(200_000)
        }
        if FileManager.default.fileExists(atPath: ready) { return path }
        // What a killed installation left is not worth trusting.
        try? FileManager.default.removeItem(atPath: path)

        let uv = try findUV()
        func report(_ text: String) {
            try? Data(text.utf8).write(to: URL(fileURLWithPath: lockPath))
            self.report(text)
        }
        report("installing image \(image.name)")
        try run(
            [uv, "venv", "--quiet", "--python", image.pythonVersion, path],
            "Python \(image.pythonVersion) for image \(image.name)")
        var command = [uv, "pip", "install", "--quiet", "--python", "\(path)/bin/python", "--compile-bytecode"]
        let lockText = String(decoding: FileManager.default.contents(atPath: image.lock) ?? Data(), as: UTF8.self)
        let packages = lockText.split(separator: "\n").count {
            $0.contains("==") && !$0.hasPrefix(" ") && !$0.hasPrefix("#")
        }
        if packages > 0 {
            if lockText.contains("+cpu"), uvEnvironment["UV_FIND_LINKS"] == nil {
                command += ["--torch-backend", "cpu"]
            }
            try run(
                command + ["--no-deps", "--verify-hashes", "-r", image.lock],
                "image \(image.name)", progress: (path, packages), report: report)
        }
        if let requirements {
            report("installing requirements.txt")
            try install(requirements, into: path, uv: uv)
        }
        guard FileManager.default.createFile(atPath: ready, contents: nil) else { throw SystemError("write \(ready)") }
        return path
    }

    /// Installs a user's requirements, in the sandbox and with a package cache of their own: what a package's build leaves in
    /// a cache must not come back in an image.
    private func install(_ requirements: String, into path: String, uv: String) throws {
        let source = (requirements as NSString).deletingLastPathComponent
        let cache = "\(folder)/requirements-cache"
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        var command = [
            uv, "pip", "install", "--quiet", "--python", "\(path)/bin/python", "--compile-bytecode", "--cache-dir",
            cache, "-r",
            requirements,
        ]
        if let sandbox {
            command = sandbox.wrapping(
                command, home: home, directory: source, readable: [Mount(uv), Mount(source)], writable: [path, cache],
                gpu: false)
        }
        // Relative paths in the file are relative to the file.
        try run(command, "requirements.txt", directory: source, hidesServer: true, sandboxed: sandbox != nil)
    }

    /// uv's settings. pip's find-links count for uv too, which does not read them itself.
    private var uvEnvironment: [String: String] {
        var environment = ProcessInfo.processInfo.environment
        // An empty one is none: make and shells export variables that way.
        let links = ["UV_FIND_LINKS", "PIP_FIND_LINKS"].compactMap { environment[$0] }.first { !$0.isEmpty }
        environment["UV_FIND_LINKS"] = links
        environment["VIRTUAL_ENV"] = nil
        return environment
    }

    private func run(
        _ command: [String], _ what: String, directory: String? = nil, hidesServer: Bool = false,
        sandboxed: Bool = false,
        progress: (path: String, packages: Int)? = nil, report: (String) -> Void = { _ in }
    ) throws {
        var errors: [UInt8] = []
        var environment = uvEnvironment
        if hidesServer { environment = environment.filter { !$0.key.hasPrefix("TAKUMI_") } }
        let child = ChildProcess(
            command: command, environment: environment, directory: directory, grace: 2, sandboxed: sandboxed)
        let exit = try child.run(
            stop: stop,
            everySecond: { _ in
                guard let progress else { return }
                report("installing \(what): \(installed(in: progress.path)) of \(progress.packages) packages")
            },
            output: { bytes, stream in
                log(bytes, stream)
                if stream == .stderr { errors += bytes }
            })
        if exit.stopped { throw CancellationError() }
        guard exit.code == 0 else {
            throw TakumiError(.failed, "\(what) could not be installed: \(EnvironmentCache.reason(in: errors))")
        }
    }

    private func installed(in path: String) -> Int {
        let library = "\(path)/lib"
        let python = (try? FileManager.default.contentsOfDirectory(atPath: library))?.first ?? ""
        let packages =
            (try? FileManager.default.contentsOfDirectory(atPath: "\(library)/\(python)/site-packages")) ?? []
        return packages.count { $0.hasSuffix(".dist-info") }
    }

    /// uv's explanation as one line: what follows its cross mark, or the last line.
    static func reason(in output: [UInt8]) -> String {
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }
        let start = lines.firstIndex { $0.hasPrefix("×") || $0.hasPrefix("error:") } ?? max(0, lines.count - 1)
        let text = lines[min(start, lines.count)...].prefix(4)
            .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "×╰─▶│ ")) }.joined(separator: " ")
        return text.isEmpty ? "uv gave no reason" : String(text.prefix(300))
    }

    /// uv from the PATH, or one installed for this home with the Python that is there.
    private func findUV() throws -> String {
        if let uv = Tool.find("uv") { return uv }
        let tools = "\(folder)/tools"
        let uv = "\(tools)/bin/uv"
        if FileManager.default.isExecutableFile(atPath: uv) { return uv }
        guard let python = Tool.find("python3") else {
            throw TakumiError(.unavailable, "python3 is not on the PATH; install Python 3.11 or later")
        }
        // Two images may be installed at once.
        guard let lock = FileLock(path: "\(tools).lock") else { throw SystemError("lock \(tools)") }
        lock.lock()
        defer { withExtendedLifetime(lock) {} }
        if FileManager.default.isExecutableFile(atPath: uv) { return uv }
        report("installing uv")
        // A virtual environment of its own: Debian's Python refuses to install anything into itself.
        for command in [
            [python, "-m", "venv", "--clear", tools], ["\(tools)/bin/python", "-m", "pip", "install", "--quiet", "uv"],
        ] {
            let child = ChildProcess(
                command: command, environment: ProcessInfo.processInfo.environment, grace: 2)
            guard try child.run(stop: stop, output: log).code == 0 else {
                throw TakumiError(
                    .unavailable, "uv is not on the PATH and could not be installed with python3 -m venv; install uv")
            }
        }
        return uv
    }
}

extension SHA256.Digest {
    var hex: String { map { String(format: "%02x", $0) }.joined() }
}
