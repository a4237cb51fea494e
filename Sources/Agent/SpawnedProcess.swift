import CSpawn
import Engine
import Foundation

/// A child of this process.
final class SpawnedProcess: StartedProcess {
    let pid: pid_t
    let descriptor: Int32
    private let isBubblewrap: Bool

    init(
        _ command: [String], environment: [String: String], directory: String? = nil, output: Int32?, error: Int32?,
        isBubblewrap: Bool = false, joining: [String] = []
    ) throws {
        pid = try Spawn.start(
            command[0], Array(command.dropFirst()), environment: environment, directory: directory, output: output,
            error: error, grouping: .newGroup, niceness: SpawnedProcess.niceness, joining: joining)
        descriptor = takumi_pidfd_open(pid)
        self.isBubblewrap = isBubblewrap
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Jobs take what the server leaves: whoever looks at a list must not wait for a thousand of them.
    static let niceness = 5

    var program: pid_t { pid }

    func exitCode() -> Int? {
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        let signal = status & 0x7F
        if signal != 0 { return -Int(signal) }
        let code = Int(status >> 8) & 0xFF
        // Bubblewrap reports a child's signal the way shells do.
        return isBubblewrap && code > 128 && code < 160 ? 128 - code : code
    }

    func release() {}
}
