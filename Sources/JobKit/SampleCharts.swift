import Console
import Telemetry

/// Resource samples of a gang's nodes, or of pods, as charts.
package struct SampleCharts {
    private let nodes: [[Sample]]
    private let labels: [String]
    private let t: Strings

    /// - Parameter labels: as many as there are nodes.
    package init(nodes: [[Sample]], labels: [String], t: Strings) {
        (self.nodes, self.labels, self.t) = (nodes, labels, t)
    }

    package var usage: [Chart] {
        [
            Chart("cpu", t("chart.cpu"), unit: "percent", x: "time", series { [$0.time, $0.cpuPercent] }),
            Chart("memory", t("chart.memory"), unit: "bytes", x: "time", series { [$0.time, Double($0.memoryBytes)] }),
        ]
    }

    package var traffic: [Chart] {
        [
            Chart(
                "disk", t("chart.disk"), unit: "bytesPerSecond", x: "time",
                rates(t("chart.read"), \.diskReadBytes) + rates(t("chart.written"), \.diskWriteBytes)),
            Chart(
                "network", t("chart.network"), unit: "bytesPerSecond", x: "time",
                rates(t("chart.received"), \.networkReceiveBytes) + rates(t("chart.sent"), \.networkTransmitBytes)),
        ]
    }

    package var gpus: [Chart] {
        Set(nodes.joined().flatMap { $0.gpus.map(\.index) }).sorted().flatMap { gpu -> [Chart] in
            func values(_ value: @escaping (Sample.GPU) -> Double) -> [Chart.Series] {
                nodes.enumerated().map { node, samples in
                    let points = samples.compactMap { sample in
                        sample.gpus.first { $0.index == gpu }.map { [sample.time, value($0)] }
                    }
                    return Chart.Series(label: labels[node], points: Chart.thinned(points))
                }
            }
            return [
                Chart(
                    "gpu\(gpu)", t("chart.gpu", ["gpu": "\(gpu)"]), unit: "percent", x: "time", values(\.utilization)),
                Chart(
                    "gpu\(gpu)-memory", t("chart.gpuMemory", ["gpu": "\(gpu)"]), unit: "bytes", x: "time",
                    values { Double($0.memoryBytes) }),
            ]
        }
    }

    private func series(_ point: (Sample) -> [Double]) -> [Chart.Series] {
        nodes.enumerated().map { node, samples in
            Chart.Series(label: labels[node], points: Chart.thinned(samples.map(point)))
        }
    }

    /// Bytes since the start become bytes per second.
    private func rates(_ name: String, _ bytes: KeyPath<Sample, Int>) -> [Chart.Series] {
        nodes.enumerated().map { node, samples in
            let points = zip(samples, samples.dropFirst()).compactMap { before, after -> [Double]? in
                let seconds = after.time - before.time
                guard seconds > 0 else { return nil }
                return [after.time, max(0, Double(after[keyPath: bytes] - before[keyPath: bytes]) / seconds)]
            }
            let label = nodes.count > 1 ? "\(name), \(labels[node])" : name
            return Chart.Series(label: label, points: Chart.thinned(points))
        }
    }
}
