import Foundation
import Synchronization

/// The samples of one task for charts, read on from where it was left. Long ones are thinned out evenly: a month of them
/// costs what an hour does.
package final class SampleLog: Sendable {
    private struct State {
        var offset = 0
        var count = 0
        /// Every `stride`th sample.
        var kept: [Sample] = []
        var stride = 1
    }

    private let path: String
    private let state = Mutex(State())
    /// At most twice as many are kept.
    private static let resolution = 400
    private static let block = 1 << 20

    package init(path: String) { self.path = path }

    /// For a thread that may wait. A line cut short by a crash is left out.
    package func read() -> [Sample] {
        state.withLock { state in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return state.kept }
            defer { close(descriptor) }
            let decoder = JSONDecoder()
            var buffer = [UInt8](repeating: 0, count: SampleLog.block)
            while true {
                let count = pread(descriptor, &buffer, buffer.count, off_t(state.offset))
                guard count > 0, let end = buffer[..<count].lastIndex(of: 0x0A) else { return state.kept }
                for line in buffer[..<end].split(separator: 0x0A) {
                    // Decoding is the costly part: what would not be kept is not looked at.
                    if state.count % state.stride == 0,
                        let sample = try? decoder.decode(Sample.self, from: Data(line))
                    {
                        state.kept.append(sample)
                    }
                    state.count += 1
                    if state.kept.count > 2 * SampleLog.resolution { SampleLog.thin(&state) }
                }
                state.offset += end + 1
            }
        }
    }

    private static func thin(_ state: inout State) {
        state.stride *= 2
        state.kept = state.kept.enumerated().compactMap { $0.offset % 2 == 0 ? $0.element : nil }
    }
}
