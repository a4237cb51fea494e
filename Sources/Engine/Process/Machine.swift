import Foundation

/// What this machine has.
package enum Machine {
    /// - Parameters:
    ///   - overcommit: how many vCPUs are handed out per real one. Jobs share the cores by weight.
    ///   - reserveMiB: memory kept back for the system and the server.
    package static func capacity(overcommit: Double, reserveMiB: Int) -> Capacity {
        Capacity(
            cpus: max(1, Int(Double(ProcessInfo.processInfo.activeProcessorCount) * overcommit)),
            memoryMiB: max(512, memoryMiB() - reserveMiB), gpus: gpus().count)
    }

    static func memoryMiB() -> Int { mebibytes("MemTotal:") ?? 0 }

    /// What could be had without swapping; nil where the kernel does not say.
    static func availableMiB() -> Int? { mebibytes("MemAvailable:") }

    private static func mebibytes(_ name: String) -> Int? {
        let text =
            FileManager.default.contents(atPath: "/proc/meminfo").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 / 1024 }
    }

    /// Names of the NVIDIA GPUs in index order; empty where `nvidia-smi` is not there or finds none.
    package static func gpus() -> [String] {
        guard let tool = Tool.find("nvidia-smi"),
            let output = Tool.output(of: tool, ["--query-gpu=name", "--format=csv,noheader"])
        else { return [] }
        return output.split(separator: "\n").map(String.init).filter { !$0.isEmpty && !$0.hasPrefix("No devices") }
    }
}

/// Programs of the host.
package enum Tool {
    package static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    /// Standard output of a short program, or nil where it failed. Blocks.
    package static func output(of tool: String, _ arguments: [String]) -> String? {
        let process = Foundation.Process()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return nil }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
    }
}
