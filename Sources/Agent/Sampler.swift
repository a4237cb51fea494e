import Engine
import Foundation
import Telemetry

/// Measures what a task uses, once a second, and appends it to the task's samples.
struct Sampler {
    private let path: String
    private let gpus: [Int]
    private var lastCPU: [pid_t: Int] = [:]
    private var lastTime = Date().timeIntervalSince1970
    private var networkAtStart: (Int, Int)
    private var ticks = 0
    private var lastGPUs: [Sample.GPU] = []

    init(path: String, gpus: [Int]) {
        self.path = path
        self.gpus = gpus
        networkAtStart = Sampler.network()
    }

    mutating func take(of root: pid_t, group: ControlGroup?) -> Sample {
        let now = Date().timeIntervalSince1970
        let perSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        var sample = Sample(time: now)
        var cpu: [pid_t: Int] = [:]
        var spent = 0
        var resident = 0
        for pid in ProcessTable.tree(of: root) {
            guard let fields = ProcessTable.stat(of: pid), fields.count > 21 else { continue }
            let used = (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)
            cpu[pid] = used
            spent += max(0, used - (lastCPU[pid] ?? 0))
            resident += (Int(fields[21]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
            sample.processCount += 1
            let io = Sampler.io(of: pid)
            sample.diskReadBytes += io.0
            sample.diskWriteBytes += io.1
        }
        sample.cpuPercent = 100 * Double(spent) / perSecond / max(0.001, now - lastTime)
        // Pages that processes share count once in the group and several times in the sum of the processes.
        sample.memoryBytes = group?.memoryBytes ?? resident
        let network = Sampler.network()
        sample.networkReceiveBytes = network.0 - networkAtStart.0
        sample.networkTransmitBytes = network.1 - networkAtStart.1
        // nvidia-smi costs some 50 ms, so every fifth second is enough.
        if !gpus.isEmpty, ticks % 5 == 0 { lastGPUs = Sampler.read(gpus: gpus) }
        sample.gpus = lastGPUs
        (lastCPU, lastTime, ticks) = (cpu, now, ticks + 1)
        append(sample)
        return sample
    }

    private func append(_ sample: Sample) {
        guard let line = try? sample.line() else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    private static func io(of pid: pid_t) -> (Int, Int) {
        let data = FileManager.default.contents(atPath: "/proc/\(pid)/io") ?? Data()
        var result = (0, 0)
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let value = Int(parts[1]) else { continue }
            if parts[0] == "read_bytes:" { result.0 = value }
            if parts[0] == "write_bytes:" { result.1 = value }
        }
        return result
    }

    /// Bytes received and sent by this machine, loopback left out: tasks share the machine's network.
    private static func network() -> (Int, Int) {
        let data = FileManager.default.contents(atPath: "/proc/net/dev") ?? Data()
        var result = (0, 0)
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst(2) {
            let parts = line.replacing(":", with: " ").split(separator: " ")
            guard parts.count > 9, parts[0] != "lo" else { continue }
            result.0 += Int(parts[1]) ?? 0
            result.1 += Int(parts[9]) ?? 0
        }
        return result
    }

    private static func read(gpus: [Int]) -> [Sample.GPU] {
        guard let tool = Tool.find("nvidia-smi"),
            let output = Tool.output(
                of: tool,
                [
                    "--query-gpu=index,utilization.gpu,memory.used", "--format=csv,noheader,nounits",
                    "--id=\(gpus.map(String.init).joined(separator: ","))",
                ])
        else { return [] }
        return output.split(separator: "\n").compactMap { line in
            let values = line.split(separator: ",").map { Double($0.trimmingCharacters(in: .whitespaces)) ?? 0 }
            guard values.count == 3 else { return nil }
            return Sample.GPU(index: Int(values[0]), utilization: values[1], memoryBytes: Int(values[2]) << 20)
        }
    }
}
