import Console
import FeatureKit
import Foundation
import Resource

/// A resource that runs a program, as its log and its tabs see it.
package struct Job: Sendable {
    package var key: ResourceKey
    package var workloadID: String
    package var spec: JobSpec
    package var hyperparameters: [JobParameter]
    /// Whether its program ever ran.
    package var hasRun: Bool
    package var isSettled: Bool
    /// What counts as a metric in its log; nil for every `name = value`.
    package var metrics: Metrics?

    package struct Metrics: Sendable {
        package var pattern: String
        package var names: [String]

        package init(pattern: String, names: [String]) {
            (self.pattern, self.names) = (pattern, names)
        }
    }

    package init(
        key: ResourceKey, workloadID: String, spec: JobSpec, hyperparameters: [JobParameter], hasRun: Bool,
        isSettled: Bool, metrics: Metrics? = nil
    ) {
        self.key = key
        self.workloadID = workloadID
        self.spec = spec
        self.hyperparameters = hyperparameters
        self.hasRun = hasRun
        self.isSettled = isSettled
        self.metrics = metrics
    }

    var nodes: Int { spec.nodes }

    func check(node: Int) throws {
        guard node >= nodes else { return }
        throw TakumiError.invalid("node", "\(node) does not exist; this \(key.kind) has nodes 0 to \(nodes - 1)")
    }
}

/// A kind whose resources are jobs.
package protocol JobType: PagedType {
    func job(of resource: Object) async throws -> Job
}

package enum MetricText {
    /// As people read it: five digits.
    package static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e9 ? String(format: "%.0f", value) : String(format: "%.5g", value)
    }
}
