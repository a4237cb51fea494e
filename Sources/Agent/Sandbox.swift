import Engine
import Foundation

/// A path of the host and where a sandboxed program sees it.
struct Mount: Sendable, Equatable {
    var source: String
    var place: String

    init(_ source: String, at place: String? = nil) {
        self.source = source
        self.place = place ?? source
    }
}

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
    ///   - readable: what stays visible, read-only, though the home and `/tmp` are hidden.
    ///   - writable: paths that the command may write.
    ///   - volumes: the same at places of their own, before all else that lies in the home.
    ///   - asRoot: whoever runs this, the command sees itself as root.
    ///   - informing: a descriptor on which bubblewrap says which process it has started.
    func wrapping(
        _ command: [String], home: String, directory: String, readable: [Mount], writable: [String], gpu: Bool,
        volumes: [Mount] = [], asRoot: Bool = false, informing: Int? = nil
    ) -> [String] {
        var wrapped = [program, "--ro-bind", "/", "/"]
        if let informing { wrapped += ["--info-fd", String(informing)] }
        // A GPU's device files have names that only the driver knows, so all devices are passed on.
        wrapped += gpu ? ["--dev-bind", "/dev", "/dev"] : ["--dev", "/dev"]
        wrapped += ["--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", home]
        for mount in volumes { wrapped += ["--bind", mount.source, mount.place] }
        for mount in readable { wrapped += ["--ro-bind", mount.source, mount.place] }
        for path in writable { wrapped += ["--bind", path, path] }
        if asRoot, getuid() != 0 { wrapped += ["--unshare-user", "--uid", "0", "--gid", "0"] }
        wrapped += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL", "--die-with-parent"]
        wrapped += ["--chdir", directory, "--"]
        return wrapped + command
    }
}
