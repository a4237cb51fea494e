import Catalog
import Console
import Foundation
import Telemetry

extension DashboardPart.Usage {
    /// Of what a resource's nodes were given, the share that it uses (D-3): of GPUs where it has some, else of CPUs.
    ///
    /// - Parameters:
    ///   - href: where its charts are.
    ///   - samples: the last of each node.
    /// - Returns: nil where nothing has been measured.
    package init?(
        _ name: String, href: String, flavor: Flavor, nodes: Int = 1, samples: [Sample], _ page: Page
    ) {
        guard !samples.isEmpty else { return nil }
        let (percent, detail): (Double, String)
        if flavor.gpus > 0 {
            let used = samples.flatMap(\.gpus).reduce(0) { $0 + $1.utilization }
            percent = used / Double(nodes * flavor.gpus)
            detail = page.t("dashboard.gpuUse", ["count": "\(flavor.gpus * nodes)"])
        } else {
            let used = samples.reduce(0) { $0 + $1.cpuPercent } / 100
            let given = Double(nodes * flavor.vcpus)
            percent = used / given * 100
            let memory = samples.reduce(0) { $0 + $1.memoryBytes }
            detail = page.t(
                "dashboard.cpuUse",
                ["used": Self.cores(used), "given": Self.cores(given), "memory": Cell.bytes(Int64(memory))])
        }
        self.init(
            name: name, href: href, core: flavor.gpus > 0 ? "GPU" : "CPU", percent: min(100, max(0, percent)),
            detail: detail)
    }

    private static func cores(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : String(format: value < 1 ? "%.2f" : "%.1f", value)
    }
}
