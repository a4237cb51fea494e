import Engine
import Foundation

/// Wraps a command with bubblewrap: the host read-only, the server's home out of sight, a `/tmp` and a process table of its
/// own; only the task's folders can be written.
package struct Sandbox: Sendable {
    private let program: String

    /// - Returns: nil where bubblewrap is missing or the kernel does not let it work, which is asked by trying.
    package init?() {
        guard let program = Tool.find("bwrap") else { return nil }
        self.program = program
    }

    /// Tries once whether a sandbox can be made here.
    package func works() -> Bool {
        Tool.output(of: program, ["--ro-bind", "/", "/", "--unshare-pid", "--dev", "/dev", "--proc", "/proc", "true"])
            != nil
    }

    /// - Parameters:
    ///   - readable: paths inside the hidden home that stay visible, read-only.
    ///   - writable: paths that the command may write.
    func wrapping(
        _ command: [String], home: String, directory: String, readable: [String], writable: [String], gpu: Bool
    ) -> [String] {
        var wrapped = [program, "--ro-bind", "/", "/"]
        // A GPU's device files have names that only the driver knows, so all devices are passed on.
        wrapped += gpu ? ["--dev-bind", "/dev", "/dev"] : ["--dev", "/dev"]
        wrapped += ["--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", home]
        for path in readable { wrapped += ["--ro-bind", path, path] }
        for path in writable { wrapped += ["--bind", path, path] }
        wrapped += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL", "--die-with-parent"]
        wrapped += ["--chdir", directory, "--"]
        return wrapped + command
    }
}
