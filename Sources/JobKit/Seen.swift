import Console
import Storage
import Synchronization

/// What one page's stream has told already.
package final class Seen: Sendable {
    private let state = Mutex((lines: -1, sample: -1.0, isOver: false))

    package var lines: Int {
        get { state.withLock { $0.lines } }
        set { state.withLock { $0.lines = newValue } }
    }
    package var sample: Double {
        get { state.withLock { $0.sample } }
        set { state.withLock { $0.sample = newValue } }
    }
    package var isOver: Bool {
        get { state.withLock { $0.isOver } }
        set { state.withLock { $0.isOver = newValue } }
    }

    package init() {}
}

extension JobFiles {
    /// What a node's log and the samples have gained since the last call with the same `seen`.
    package func news(_ workload: String, node: Int, since seen: Seen) async -> [LiveStream.Event] {
        let index = index(workload, node: node)
        let news = try? await BlockingWork.run {
            (lines: index.update(), sample: self.lastSample(workload, node: 0)?.time ?? 0)
        }
        guard let (lines, sample) = news else { return [] }
        var events: [LiveStream.Event] = []
        if seen.lines != lines {
            seen.lines = lines
            events.append(.init("log", "{\"node\":\(node),\"lineCount\":\(lines)}"))
        }
        if seen.sample != sample {
            seen.sample = sample
            events.append(.init("samples"))
        }
        return events
    }
}
