import Engine
import Foundation

/// A sandbox that bubblewrap has made and in which nothing runs yet: a fork enters its namespaces instead of being started
/// in it. When its process ends, everything inside ends.
final class SandboxHolder {
    /// In the order in which `warm.py` wants them.
    let namespaces: [Int32]
    private let process: SpawnedProcess
    private var isReleased = false

    private struct Info: Decodable {
        var pid: Int32
        enum CodingKeys: String, CodingKey { case pid = "child-pid" }
    }

    /// - Parameter command: what `Sandbox.wrapping` made of `SandboxHolder.command`, with `infoDescriptor` as its
    ///   information descriptor.
    ///
    /// It is in no control group: what is written in it counts for who writes.
    init(_ command: [String], environment: [String: String]) throws {
        let pipe = try Pipe()
        process = try SpawnedProcess(
            command, environment: environment, output: pipe.write, error: pipe.write)
        pipe.closeWrite()
        // Bubblewrap names its child before the sandbox is complete; the command's own line comes after.
        guard let text = SandboxHolder.read(pipe.read, until: SandboxHolder.readyLine),
            let brace = text.lastIndex(of: "}"),
            let info = try? JSONDecoder().decode(Info.self, from: Data(text[...brace].utf8))
        else {
            namespaces = []
            release()
            throw SystemError("make a sandbox", number: ECHILD)
        }
        namespaces = ["ipc", "uts", "pid", "mnt", "user"].map {
            open("/proc/\(info.pid)/ns/\($0)", O_RDONLY | O_CLOEXEC)
        }
        guard namespaces.allSatisfy({ $0 >= 0 }) else {
            release()
            throw SystemError("open the sandbox's namespaces", number: ESRCH)
        }
    }

    deinit { release() }

    /// Bubblewrap closes it for the command, which still has its standard output.
    static let infoDescriptor = 2
    private static let readyLine = "takumi-ready"
    /// Stops itself, which costs nothing; it is killed in the end.
    static let command = ["/bin/sh", "-c", "echo \(readyLine); kill -STOP $$"]

    func release() {
        guard !isReleased else { return }
        isReleased = true
        for descriptor in namespaces where descriptor >= 0 { close(descriptor) }
        kill(process.pid, SIGKILL)
        waitpid(process.pid, nil, 0)
    }

    private static func read(_ descriptor: Int32, until end: String) -> String? {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 512)
        while !text.contains(end) {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text
    }
}
