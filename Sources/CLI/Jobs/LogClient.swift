import AsyncHTTPClient
import NIOCore
import Resource

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Reads the logs of one training or trial.
struct LogClient: Sendable {
    let api: API
    /// Of whose logs they are: `/trainings/{id}`.
    let path: String
    /// Only the last so many lines to begin with; nil for all.
    var tail: Int?
    /// Whether it has ended, by what `path` answers.
    let hasEnded: @Sendable (JSONValue) -> Bool

    init(api: API, path: String, hasEnded: @escaping @Sendable (JSONValue) -> Bool) {
        (self.api, self.path) = (api, path)
        self.hasEnded = hasEnded
    }

    private func url(_ query: [(String, String)]) -> String { api.url("\(path)/logs", query) }

    /// The log of one node as it is now.
    /// - Parameter emit: gets the lines as they come.
    func read(node: Int, _ emit: (LogRecord) throws -> Void) async throws {
        var query = [("node", String(node))]
        if let tail { query.append(("tail", String(tail))) }
        let response = try await api.http.open(.GET, url(query), headers: api.headers)
        try await check(response)
        var partial: [UInt8] = []
        for try await buffer in response.body {
            partial += buffer.readableBytesView
            guard let end = partial.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            for line in partial[...end].dropLast().split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            {
                try emit(LogRecord(plain: String(decoding: line, as: UTF8.self)[...], node: node))
            }
            partial.removeSubrange(...end)
        }
        if !partial.isEmpty { try emit(LogRecord(plain: String(decoding: partial, as: UTF8.self)[...], node: node)) }
    }

    /// The log of one node until the end.
    /// - Throws: `CommandFailure` where the server was gone for too long, or refuses.
    func follow(node: Int, _ emit: (LogRecord) -> Void) async throws {
        var follow = LogFollow()
        var action = LogFollow.Action.open(offset: nil)
        while true {
            switch action {
            case .open(let offset): action = try await stream(node: node, offset: offset, &follow, emit)
            case .wait(let milliseconds, let offset):
                try await Task.sleep(for: .milliseconds(milliseconds))
                action = .open(offset: offset)
            case .askWhetherEnded:
                do {
                    let reply = try await api.get(path)
                    action = follow.answered(hasEnded: hasEnded(reply))
                } catch let failure as CommandFailure where failure.status == ExitStatus.unavailable {
                    action = follow.connectionLost()
                }
            case .finish: return
            case .giveUp: throw CommandFailure.unavailable("the server is gone, and the log cannot be followed")
            }
        }
    }

    private func stream(
        node: Int, offset: Int?, _ follow: inout LogFollow, _ emit: (LogRecord) -> Void
    ) async throws -> LogFollow.Action {
        var query = [("follow", "true"), ("node", String(node))]
        if let offset {
            query.append(("offset", String(offset)))
        } else {
            query.append(tail.map { ("tail", String($0)) } ?? ("offset", "0"))
        }
        do {
            let response = try await api.http.open(.GET, url(query), headers: api.headers)
            // Before it starts, there may be no log; after a restart, the server may not be ready.
            if response.status == .conflict || response.status == .serviceUnavailable { return follow.streamEnded() }
            try await check(response)
            for try await buffer in response.body {
                follow.received(buffer.readableBytesView).forEach(emit)
            }
            return follow.streamEnded()
        } catch let error where error is CancellationError || error is TakumiError || error is ValidationErrors {
            throw error
        } catch {
            try Task.checkCancellation()
            return follow.connectionLost()
        }
    }

    private func check(_ response: HTTPClientResponse) async throws {
        guard response.status != .ok else { return }
        let body = try await response.body.collect(upTo: 1 << 20)
        _ = try Envelope.open(status: Int(response.status.code), body: Data(body.readableBytesView))
        throw CommandFailure("the server answered \(response.status.code) instead of a log")
    }
}
