import Foundation

/// What a task used at one moment, summed over its processes.
package struct Sample: Codable, Sendable, Equatable {
    /// Seconds since 1970.
    package var time: Double
    /// 100 is one core.
    package var cpuPercent: Double
    package var memoryBytes: Int
    package var processCount: Int
    /// Bytes since the start.
    package var diskReadBytes: Int
    package var diskWriteBytes: Int
    package var networkReceiveBytes: Int
    package var networkTransmitBytes: Int
    /// Percent and bytes by GPU of the task.
    package var gpus: [GPU]

    package struct GPU: Codable, Sendable, Equatable {
        package var index: Int
        package var utilization: Double
        package var memoryBytes: Int

        package init(index: Int, utilization: Double, memoryBytes: Int) {
            self.index = index
            self.utilization = utilization
            self.memoryBytes = memoryBytes
        }
    }

    package init(
        time: Double, cpuPercent: Double = 0, memoryBytes: Int = 0, processCount: Int = 0, diskReadBytes: Int = 0,
        diskWriteBytes: Int = 0, networkReceiveBytes: Int = 0, networkTransmitBytes: Int = 0, gpus: [GPU] = []
    ) {
        self.time = time
        self.cpuPercent = cpuPercent
        self.memoryBytes = memoryBytes
        self.processCount = processCount
        self.diskReadBytes = diskReadBytes
        self.diskWriteBytes = diskWriteBytes
        self.networkReceiveBytes = networkReceiveBytes
        self.networkTransmitBytes = networkTransmitBytes
        self.gpus = gpus
    }

    /// The samples of a file, one JSON object a line; a line cut short by a crash is left out.
    package static func read(path: String) -> [Sample] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        let decoder = JSONDecoder()
        return data.split(separator: 0x0A).compactMap { try? decoder.decode(Sample.self, from: Data($0)) }
    }

    /// The last whole sample of a file, without reading the others.
    package static func last(path: String) -> Sample? {
        let decoder = JSONDecoder()
        for line in tail(path: path).reversed() {
            if let sample = try? decoder.decode(Sample.self, from: Data(line)) { return sample }
        }
        return nil
    }

    /// The samples of a file since a moment, without reading those before: at most some thirty.
    package static func recent(path: String, since time: Double) -> [Sample] {
        let decoder = JSONDecoder()
        return tail(path: path).compactMap { try? decoder.decode(Sample.self, from: Data($0)) }.filter {
            $0.time > time
        }
    }

    /// The last lines; the first of them may be cut short.
    private static func tail(path: String) -> [ArraySlice<UInt8>] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        var buffer = [UInt8](repeating: 0, count: min(size, 8192))
        let count = pread(descriptor, &buffer, buffer.count, off_t(size - buffer.count))
        return count > 0 ? buffer.prefix(count).split(separator: 0x0A) : []
    }

    /// The sample as one line of such a file.
    package func line() throws -> Data {
        try JSONEncoder().encode(self) + [0x0A]
    }
}
