import Foundation
import Gateway

/// A gate that does what a JSON file says, read anew at every request: the first entry whose prefix fits counts.
struct FileGate: AppGate {
    struct Entry: Decodable {
        struct Answer: Decodable {
            var status: Int
            var headers: [String: String]?
            var body: String?
        }
        var prefix: String
        var port: Int?
        var target: String?
        var headers: [String: String]?
        /// A file without which connections may not stay.
        var allow: String?
        /// Seconds to think.
        var delay: Double?
        var answer: Answer?
    }

    var file: String

    func open(_ request: AppRequest) async -> AppAnswer {
        let data = FileManager.default.contents(atPath: file) ?? Data()
        let entries = (try? JSONDecoder().decode([Entry].self, from: data)) ?? []
        guard let entry = entries.first(where: { request.target.hasPrefix($0.prefix) }) else {
            return .answer(status: 404, headers: [("Content-Type", "text/plain")], body: Array("nothing here".utf8))
        }
        if let delay = entry.delay { try? await Task.sleep(for: .seconds(delay)) }
        if let answer = entry.answer {
            return .answer(
                status: answer.status, headers: (answer.headers ?? [:]).map { ($0.key, $0.value) },
                body: Array((answer.body ?? "").utf8))
        }
        return .pass(
            AppPass(
                port: entry.port ?? 0, target: entry.target, headers: (entry.headers ?? [:]).map { ($0.key, $0.value) },
                mayStay: { entry.allow.map { FileManager.default.fileExists(atPath: $0) } ?? true }))
    }
}
