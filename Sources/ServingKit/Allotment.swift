import Catalog
import Engine
import Foundation
import Resource

/// What one pod is given, and how users write it: `0.5`, `500m`, `50%`; `2048Mi`, `2Gi`, `25%`; `1`, `50%`.
package struct Allotment: Codable, Sendable, Equatable {
    package var cpus: Double
    package var memoryMiB: Int
    package var gpus: Int

    package init(cpus: Double, memoryMiB: Int, gpus: Int = 0) {
        self.cpus = cpus
        self.memoryMiB = memoryMiB
        self.gpus = gpus
    }

    package var resources: Resources { Resources(cpus: cpus, memoryMiB: memoryMiB, gpus: gpus) }

    /// What an instance really offers: its type minus what serving itself needs on it, once an instance (SPEC 12.9).
    package init(of flavor: Flavor) {
        cpus = max(0.1, Double(flavor.vcpus) - Allotment.base.cpus)
        memoryMiB = max(64, flavor.memoryMiB - Allotment.base.memoryMiB)
        gpus = flavor.gpus
    }

    /// Of the agents and of the gateway's part: measured at a tenth of a processor and below a hundred MiB under load.
    private static let base = (cpus: 0.1, memoryMiB: 128)

    package func fits(in room: Allotment) -> Bool {
        // Sums of tenths are not exact.
        cpus <= room.cpus + 1e-6 && memoryMiB <= room.memoryMiB && gpus <= room.gpus
    }

    package static func + (left: Allotment, right: Allotment) -> Allotment {
        Allotment(
            cpus: left.cpus + right.cpus, memoryMiB: left.memoryMiB + right.memoryMiB, gpus: left.gpus + right.gpus)
    }

    package static func - (left: Allotment, right: Allotment) -> Allotment {
        Allotment(
            cpus: left.cpus - right.cpus, memoryMiB: left.memoryMiB - right.memoryMiB, gpus: left.gpus - right.gpus)
    }

    package static func * (left: Allotment, count: Int) -> Allotment {
        Allotment(cpus: left.cpus * Double(count), memoryMiB: left.memoryMiB * count, gpus: left.gpus * count)
    }

    package static let none = Allotment(cpus: 0, memoryMiB: 0)

    /// `1 vCPU, 2.0 GiB`.
    package var text: String {
        "\(vCPUs(cpus)), \(gibibytes(memoryMiB))\(gpus > 0 ? ", \(gpus) GPU" : "")"
    }

    // MARK: - As users write it

    /// At least a thousandth: usage is reckoned as a part of it.
    package static func cpus(_ text: String, of all: Allotment) -> Double? {
        var cpus: Double?
        if let part = percent(text) {
            cpus = all.cpus * part
        } else {
            cpus = text.hasSuffix("m") ? Double(text.dropLast()).map { $0 / 1000 } : Double(text)
        }
        return cpus.flatMap { $0.isFinite && $0 >= 0.001 ? $0 : nil }
    }

    package static func memoryMiB(_ text: String, of all: Allotment) -> Int? {
        if let part = percent(text) { return whole(Double(all.memoryMiB) * part) }
        let units: [(String, Double)] = [
            ("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("Ti", 1_099_511_627_776), ("k", 1000),
            ("K", 1000), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("", 1),
        ]
        for (unit, bytes) in units where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).flatMap { whole($0 * bytes / 1_048_576) }
        }
        return nil
    }

    /// Not more than sums of it can hold, either.
    private static func whole(_ mebibytes: Double) -> Int? {
        mebibytes >= 1 && mebibytes < Double(1 << 40) ? Int(mebibytes) : nil
    }

    /// Whole ones only: pods share none.
    package static func gpus(_ text: String, of all: Allotment) -> Int? {
        guard let count = percent(text).map({ $0 * Double(all.gpus) }) ?? Double(text), (0..<100).contains(count),
            abs(count - count.rounded()) < 1e-6
        else { return nil }
        return Int(count.rounded())
    }

    private static func percent(_ text: String) -> Double? {
        text.hasSuffix("%")
            ? Double(text.dropLast().trimmingCharacters(in: .whitespaces)).map { $0 / 100 } : nil
    }
}
