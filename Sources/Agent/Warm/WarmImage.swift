import Crypto
import Engine
import Foundation

/// An interpreter that waits with an image's framework imported: finding it, starting it, asking it for a run.
///
/// There is one for each environment and each set of variables that a library may read while it is imported, such as
/// `OMP_NUM_THREADS`: a fork must be what a cold start with its variables would have been.
struct WarmImage {
    private struct File: Decodable {
        var state: String
        var reason: String?
    }

    let settings: WarmSettings
    let environment: String
    let imports: [String]
    private let variables: [String: String]
    private let prefix: String

    /// - Parameters:
    ///   - environment: the folder of the image's packages.
    ///   - variables: of the run.
    init(settings: WarmSettings, environment: String, imports: [String], variables: [String: String]) {
        self.settings = settings
        self.environment = environment
        self.imports = imports
        self.variables = variables.filter { WarmImage.isReadOnImport($0.key) }
        let identity =
            [settings.program, environment] + imports
            + self.variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let digest = SHA256.hash(data: Data(identity.joined(separator: "\0").utf8)).hex
        prefix = "\(settings.folder)/\(digest.prefix(24))"
    }

    /// Whether a library may read it while it is imported. What it reads later, the fork sets.
    static func isReadOnImport(_ name: String) -> Bool {
        if name == "TF_CONFIG" { return false }
        let names = ["PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE"]
        let families = [
            "PYTHON", "OMP_", "KMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "TORCH_", "PYTORCH_", "TF_", "KERAS_", "CUDA_",
            "NVIDIA_",
        ]
        return names.contains(name) || families.contains { name.hasPrefix($0) }
    }

    /// A connection to it, or nil where it is not ready.
    func connect() -> Int32? {
        // An address holds some hundred bytes, and a home's path may be longer: by a descriptor it is short.
        let folder = open(settings.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("/proc/self/fd/\(folder)/\((prefix as NSString).lastPathComponent).sock".utf8.prefix(100))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.connect(socket, $0, length) }
        }
        guard result == 0 else {
            close(socket)
            return nil
        }
        return socket
    }

    /// Why it can never be used; nil where it may be.
    var unusable: String? {
        let file = JSONFile.read(File.self, at: "\(prefix).json")
        return file?.state == "unusable" ? file?.reason ?? "no reason given" : nil
    }

    /// Starts one, unless there is one: the second of two ends by itself.
    func start() throws {
        try FileManager.default.createDirectory(
            atPath: settings.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let log = open("\(prefix).log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        defer { if log >= 0 { close(log) } }
        // Fewer, larger pages: a fork copies half as much of the page table. The run does not get the variable.
        let variables = variables.merging(["GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"]) { $1 }
        _ = try Spawn.start(
            "\(environment)/bin/python", [settings.program, prefix, String(settings.idle)] + imports,
            environment: variables, directory: "/", output: log, error: log,
            grouping: .newSession)
    }

    /// Waits until it is ready, starting it if need be.
    /// - Returns: a connection, or nil where it cannot be used or the task is to stop.
    func waitUntilReady(stop: StopRequest, limit: Duration = .seconds(120)) throws -> Int32? {
        let deadline = ContinuousClock.now + limit
        var nextStart = ContinuousClock.now
        while .now < deadline, !stop.isRequested, unusable == nil {
            if let connection = connect() { return connection }
            // It may have ended between two looks, by itself or for the memory that it held.
            if .now >= nextStart, !isStarting {
                try start()
                nextStart = .now + .seconds(1)
            }
            usleep(5_000)
        }
        return nil
    }

    private var isStarting: Bool {
        guard let lock = FileLock(path: "\(prefix).lock", create: false) else { return false }
        return !lock.tryLock()
    }
}
