import Engine
import Storage
import Synchronization
import Telemetry

/// What the nodes of jobs have printed, as pages read it: by line number, and as metrics. Kept between requests, so
/// that following a long log costs what is new in it.
package final class JobFiles: Sendable {
    private struct Entry {
        var index: LogIndex
        var metrics: MetricLog
        var samples: SampleLog
        var use: Int
    }

    package let home: String
    private let state = Mutex(
        (entries: [String: Entry](), uses: 0, collectors: [[String]: MetricCollector]()))
    private static let most = 256

    package init(home: String) { self.home = home }

    package func index(_ workload: String, node: Int) -> LogIndex { entry(workload, node).index }

    /// Of node 0, whose log users read first: the nodes of a gang report the same.
    package func metrics(_ workload: String) async throws -> [(name: String, series: MetricSeries)] {
        let log = entry(workload, 0).metrics
        // What is reported once is mostly a setting that the program echoes: behind what has a curve.
        let found = try await BlockingWork.run { log.read() }
        return found.filter { $0.series.count > 1 } + found.filter { $0.series.count <= 1 }
    }

    /// By the job's own expression, where it has one.
    package func metrics(_ job: Job) async throws -> [(name: String, series: MetricSeries)] {
        guard let metrics = job.metrics else { return try await self.metrics(job.workloadID) }
        let path = WorkloadFolder(home: home, id: job.workloadID).task(0).log
        let collector = try state.withLock { state in
            let key = [path, metrics.pattern] + metrics.names
            if let collector = state.collectors[key] { return collector }
            let collector = MetricCollector(
                path: path, pattern: try MetricPattern(metrics.pattern), names: metrics.names)
            if state.collectors.count >= JobFiles.most { state.collectors = [:] }
            state.collectors[key] = collector
            return collector
        }
        return try await BlockingWork.run { collector.read() }.filter { $0.summary.count > 0 }
            .map { ($0.summary.name, $0.series) }
    }

    /// Of a log that is no workload's any more.
    package func index(path: String) -> LogIndex { entry(path, samples: "").index }

    private func entry(_ workload: String, _ node: Int) -> Entry {
        let task = WorkloadFolder(home: home, id: workload).task(node)
        return entry(task.log, samples: task.samples)
    }

    private func entry(_ path: String, samples: String) -> Entry {
        state.withLock { state in
            state.uses += 1
            var entry =
                state.entries[path]
                ?? Entry(
                    index: LogIndex(path: path), metrics: MetricLog(path: path), samples: SampleLog(path: samples),
                    use: 0)
            entry.use = state.uses
            state.entries[path] = entry
            if state.entries.count > JobFiles.most,
                let oldest = state.entries.min(by: { $0.value.use < $1.value.use })?.key
            {
                state.entries[oldest] = nil
            }
            return entry
        }
    }

    package func samples(_ workload: String, node: Int) -> SampleLog { entry(workload, node).samples }

    package func lastSample(_ workload: String, node: Int) -> Sample? {
        Sample.last(path: WorkloadFolder(home: home, id: workload).task(node).samples)
    }
}
