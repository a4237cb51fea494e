import Console
import Foundation
import JobKit
import Storage
import Store
import Synchronization
import Telemetry

/// What a page of a stage's watches besides the database: asked again and again, each tells what is new since.
struct StageNews: Sendable {
    let stage: Stage
    let files: JobFiles
    let traffic: any Traffic
    let store: Store

    private final class Last<Value: Equatable & Sendable>: Sendable {
        private let state: Mutex<Value?>

        /// - Parameter value: nil: the first one is news.
        init(_ value: Value?) { state = Mutex(value) }

        func isNews(_ value: Value) -> Bool {
            state.withLock { last in
                defer { last = value }
                return last != value
            }
        }
    }

    var samples: @Sendable () async -> [LiveStream.Event]? {
        let last = Last<[Double]>(nil)
        let (stage, files, store) = (stage, files, store)
        return {
            let pods = (try? await StagePod.all(of: stage, store: store, home: files.home).filter(\.isThere)) ?? []
            let times = try? await BlockingWork.run { pods.map { files.lastSample($0.id, node: 0)?.time ?? 0 } }
            guard let times else { return [] }
            return last.isNews(times) ? [.init("samples")] : []
        }
    }

    /// A page with figures in it is fetched anew, not only its charts. At most every other second: a busy stage has news
    /// at every look.
    var calls: @Sendable () async -> [LiveStream.Event]? {
        let (stage, traffic) = (stage, traffic)
        @Sendable func count() -> [Int] {
            traffic.statistics(of: stage.id).minutes.last.map { [$0.minute, $0.calls] } ?? []
        }
        let last = Last<[Int]>(count())
        let started = ContinuousClock.now
        let second = Last<Int64>(nil)
        return {
            // Every other second, counted from anywhere.
            guard second.isNews(started.duration(to: .now).components.seconds / 2), last.isNews(count()) else {
                return []
            }
            return [.init("change", "{\"id\":\"\(stage.id)\"}")]
        }
    }

    /// Of the file that is written.
    var requests: @Sendable () async -> [LiveStream.Event]? {
        let last = Last<Int>(nil)
        let index = files.index(path: stage.inferenceLog(home: files.home).path)
        return {
            guard let count = try? await BlockingWork.run({ index.update() }), last.isNews(count) else { return [] }
            return [.init("log", "{\"node\":\"0\",\"lineCount\":\(count)}")]
        }
    }

    /// Of every pod: one that takes another's place while the page is open is followed, too.
    var logs: @Sendable () async -> [LiveStream.Event]? {
        let last = Last<[String: Int]>(nil)
        let (stage, files, store) = (stage, files, store)
        return {
            let pods = (try? await StagePod.all(of: stage, store: store, home: files.home)) ?? []
            let counts = try? await BlockingWork.run {
                Dictionary(pods.map { ($0.id, $0.index(files).update()) }) { $1 }
            }
            guard let counts, last.isNews(counts) else { return [] }
            return counts.map { .init("log", "{\"node\":\"\($0)\",\"lineCount\":\($1)}") }
        }
    }
}
