import Foundation
import Logging
import Synchronization

/// All stages' statistics: what the event loops counted, merged, and kept in files.
final class StatisticsStore: Sendable {
    private struct State {
        var stages: [String: StageStatistics] = [:]
        var changed: Set<String> = []
        /// Deleted stages, whose last requests may still be counted.
        var forgotten: Set<String> = []
    }

    private let folder: String
    private let logger: Logger
    private let state: Mutex<State>
    /// Held while files change, so that a file that was to go is not written again.
    private let files = Mutex(())

    /// Reads what is there.
    init(folder: String, logger: Logger) throws {
        self.folder = folder
        self.logger = logger
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var stages: [String: StageStatistics] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".json") {
            do {
                let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
                let (stage, statistics) = try StatisticsFile.decode(data)
                stages[stage] = statistics
            } catch {
                logger.error(
                    "statistics cannot be read and begin anew", metadata: ["file": "\(name)", "error": "\(error)"])
            }
        }
        state = Mutex(State(stages: stages))
    }

    func merge(_ minutes: [StageStatistics.Minute], stage: String) {
        guard let last = minutes.last else { return }
        state.withLock { state in
            guard !state.forgotten.contains(stage) else { return }
            state.stages[stage, default: StageStatistics()].merge(minutes)
            state.stages[stage]?.dropOld(now: last.minute)
            state.changed.insert(stage)
        }
    }

    func statistics(of stage: String) -> StageStatistics {
        state.withLock { $0.stages[stage] ?? StageStatistics() }
    }

    /// Stages that are there, and so are not forgotten, or not any more.
    func expect(_ stages: [String]) {
        state.withLock { $0.forgotten.subtract(stages) }
    }

    func forget(_ stage: String) {
        files.withLock { _ in
            state.withLock { state in
                state.stages[stage] = nil
                state.changed.remove(stage)
                state.forgotten.insert(stage)
            }
            unlink("\(folder)/\(StatisticsFile.name(stage))")
        }
    }

    /// Writes the files of all stages that changed. Takes a while: not on an event loop.
    func save() {
        files.withLock { _ in
            let changed = state.withLock { state in
                defer { state.changed = [] }
                return state.changed.compactMap { stage in state.stages[stage].map { (stage, $0) } }
            }
            for (stage, statistics) in changed {
                do {
                    try StatisticsFile.write(
                        StatisticsFile.encode(stage, statistics), to: "\(folder)/\(StatisticsFile.name(stage))")
                } catch {
                    logger.error("statistics cannot be written", metadata: ["stage": "\(stage)", "error": "\(error)"])
                    state.withLock { _ = $0.changed.insert(stage) }
                }
            }
        }
    }
}
