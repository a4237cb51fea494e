import Engine
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Resource
import ServiceLifecycle
import Storage
import Store
import Telemetry
import Web

/// Serves what the nodes of a job printed, and what they used.
package struct JobLogs: Sendable {
    private let store: Store
    private let home: String

    package init(store: Store, home: String) {
        (self.store, self.home) = (store, home)
    }

    private struct Line: Encodable {
        var time: String
        var stream: String
        var node: Int
        var offset: Int
        /// Where to go on after this line.
        var next: Int
        var text: String
    }

    /// - `node`: 0 unless told. `tail`: the last N lines only. `offset`: from this byte on.
    /// - `follow`: NDJSON until the job has ended; without it, plain text of what is there.
    package func respond(to items: QueryItems, _ job: Job) throws -> Response {
        let node = try items.number("node")
        if let node { try job.check(node: node) }
        let folder = WorkloadFolder(home: home, id: job.workloadID)
        @Sendable func reader(_ node: Int) -> LogReader { LogReader(path: folder.task(node).log) }
        let tail = try items.number("tail")
        let offset = try items.number("offset") ?? 0
        if items.flag("follow") {
            // An offset is one node's, so it follows that node alone.
            let nodes = node.map { [$0] } ?? (items["offset"] == nil ? Array(0..<job.nodes) : [0])
            let starts = nodes.map { ($0, tail.map(reader($0).offset(ofLast:)) ?? offset) }
            return follow(job.key, starts, reader)
        }
        let log = reader(node ?? 0)
        return JobLogs.text(log, from: tail.map(log.offset(ofLast:)) ?? offset)
    }

    /// - Parameter name: of the file that a browser makes of it; nil where it is only shown.
    package static func text(_ log: LogReader, from start: Int, as name: String? = nil) -> Response {
        var headers: HTTPFields = [.contentType: "text/plain; charset=utf-8"]
        if let name { headers[.contentDisposition] = "attachment; filename*=UTF-8''\(name.pathEscaped)" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                var offset = start
                while true {
                    let chunk = log.read(from: offset)
                    guard chunk.next > offset else { break }
                    var buffer = ByteBuffer()
                    for (_, line) in chunk.lines { buffer.writeString("\(line.time) \(line.text)\n") }
                    if buffer.readableBytes > 0 { try await writer.write(buffer) }
                    offset = chunk.next
                }
                try await writer.finish(nil)
            })
    }

    private func follow(
        _ key: ResourceKey, _ starts: [(Int, Int)], _ reader: @escaping @Sendable (Int) -> LogReader
    ) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"],
            body: ResponseBody { writer in
                var offsets = starts
                while true {
                    // Asked before reading: whatever was written until the end is then in the last round.
                    let hasEnded = try await store.record(key)?.settled ?? true
                    var wrote = false
                    for index in offsets.indices {
                        let chunk = reader(offsets[index].0).read(from: offsets[index].1)
                        var buffer = ByteBuffer()
                        for (position, (offset, line)) in chunk.lines.enumerated() {
                            let next = position + 1 < chunk.lines.count ? chunk.lines[position + 1].offset : chunk.next
                            let item = Line(
                                time: line.time, stream: line.stream.name, node: offsets[index].0, offset: offset,
                                next: next,
                                text: line.text)
                            buffer.writeBytes(try WireJSON.encode(item))
                            buffer.writeInteger(UInt8(ascii: "\n"))
                        }
                        offsets[index].1 = chunk.next
                        if buffer.readableBytes > 0 {
                            wrote = true
                            try await writer.write(buffer)
                        }
                    }
                    if wrote { continue }
                    // A server that shuts down must not wait for whoever watches; they come back with an offset.
                    if hasEnded || Task.isShuttingDownGracefully { break }
                    try await Task.sleep(for: .milliseconds(100))
                }
                try await writer.finish(nil)
            })
    }

    private struct NodeMetrics: Encodable {
        var node: Int
        var samples: [Sample]
    }

    package func metrics(of job: Job) throws -> Response {
        let folder = WorkloadFolder(home: home, id: job.workloadID)
        return try Envelope.one(
            "metrics",
            (0..<job.nodes).map { NodeMetrics(node: $0, samples: Sample.read(path: folder.task($0).samples)) }
        )
    }

    private struct Report: Encodable {
        var time: String
        var name: String
        var value: String
    }

    /// Every report of a job's metrics, in the order of its log.
    package func reports(of job: Job) async throws -> Response {
        guard let metrics = job.metrics else { throw TakumiError(.notFound, "there is no such page") }
        let pattern = try MetricPattern(metrics.pattern)
        let log = LogReader(path: WorkloadFolder(home: home, id: job.workloadID).task(0).log)
        let reports = try await BlockingWork.run {
            var reports: [Report] = []
            var offset = 0
            while true {
                let chunk = log.read(from: offset)
                guard chunk.next > offset else { return reports }
                offset = chunk.next
                for (_, line) in chunk.lines where line.stream != .system {
                    reports += pattern.reports(in: line.text, of: metrics.names).map {
                        Report(time: $0.time ?? line.time, name: $0.name, value: $0.text)
                    }
                }
            }
        }
        return try Envelope.one("reportList", reports)
    }
}
