import Engine
import Storage
import Synchronization
import Telemetry

/// What the nodes of trainings have printed, as pages read it: by line number, and as metrics. Kept between requests, so
/// that following a long log costs what is new in it.
final class TrainingFiles: Sendable {
    private struct Entry {
        var index: LogIndex
        var metrics: MetricLog
        var samples: SampleLog
        var use: Int
    }

    let home: String
    private let state = Mutex((entries: [String: Entry](), uses: 0))
    private static let most = 256

    init(home: String) { self.home = home }

    func index(_ training: Training, node: Int) -> LogIndex { entry(training, node).index }

    /// Of node 0, whose log users read first: the nodes of a gang report the same.
    func metrics(_ training: Training) async throws -> [(name: String, series: MetricSeries)] {
        let log = entry(training, 0).metrics
        // What is reported once is mostly a setting that the program echoes: behind what has a curve.
        let found = try await BlockingWork.run { log.read() }
        return found.filter { $0.series.count > 1 } + found.filter { $0.series.count <= 1 }
    }

    private func entry(_ training: Training, _ node: Int) -> Entry {
        let task = WorkloadFolder(home: home, id: training.workloadID).task(node)
        let path = task.log
        return state.withLock { state in
            state.uses += 1
            var entry =
                state.entries[path]
                ?? Entry(
                    index: LogIndex(path: path), metrics: MetricLog(path: path), samples: SampleLog(path: task.samples),
                    use: 0)
            entry.use = state.uses
            state.entries[path] = entry
            if state.entries.count > TrainingFiles.most,
                let oldest = state.entries.min(by: { $0.value.use < $1.value.use })?.key
            {
                state.entries[oldest] = nil
            }
            return entry
        }
    }

    func samples(_ training: Training, node: Int) -> SampleLog { entry(training, node).samples }

    func lastSample(_ training: Training, node: Int) -> Sample? {
        Sample.last(path: WorkloadFolder(home: home, id: training.workloadID).task(node).samples)
    }
}
