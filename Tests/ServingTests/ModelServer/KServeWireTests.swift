import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import ModelServer

/// Replies of a real KServe 0.20 server, against ours.
///
/// Where ours are meant to differ, `Expectation` says how: schema errors are 400, every error is `{"error": ".."}`, versions of
/// the server's own, no loading and unloading.
struct KServeWireTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        var method: String
        var path: String
        var requestHeaders: [String: String]?
        var request: JSON?
        var status: Int
        var responseHeaders: [String: String]
        var response: JSON

        private enum CodingKeys: String, CodingKey {
            case method, path, request, status, response
            case requestHeaders = "request_headers"
            case responseHeaders = "response_headers"
        }

        var testDescription: String { "\(method) \(path) \(request?.text ?? "")" }
    }

    static let cases: [Case] = {
        let path = URL(fileURLWithPath: #filePath)
            .appendingPathComponent("../../../Support/Vectors/kserve_wire.json").standardized
        do {
            // What follows the unloading of the model tells nothing of a server that does not unload.
            return Array(try JSONDecoder().decode([Case].self, from: Data(contentsOf: path)).dropLast(2))
        } catch {
            Issue.record("kserve_wire.json: \(error)")
            return []
        }
    }()

    @Test(arguments: cases)
    func replies(_ wire: Case) async throws {
        let answer = try await WireServer.shared.get().exchange(wire.method, wire.path, wire.requestHeaders, wire.body)
        switch Expectation(wire) {
        case .same:
            #expect(answer.status == wire.status)
            try expectSame(answer, wire)
        case .error(let status, let sentence):
            #expect(answer.status == status)
            #expect(answer.json == .object(["error": .string(sentence)]), "\(answer.json.text)")
        case .sentence(let status):
            #expect(answer.status == status)
            guard case .object(let fields) = answer.json, case .string(let sentence)? = fields["error"] else {
                Issue.record("not an error: \(answer.json.text)")
                return
            }
            #expect(fields.count == 1)
            #expect(sentence.count > 10)
        case .openAI(let status):
            #expect(answer.status == status)
            guard case .object(let fields) = answer.json, case .object(let error)? = fields["error"] else {
                Issue.record("not an OpenAI error: \(answer.json.text)")
                return
            }
            #expect(Set(error.keys) == ["message", "type", "param", "code"])
        case .server: #expect(answer.status == 200)
        }
        if answer.status == 405 { #expect(answer.headers["allow"] == wire.responseHeaders["allow"]) }
    }

    private func expectSame(_ answer: WireServer.Answer, _ wire: Case) throws {
        if let length = wire.responseHeaders["inference-header-content-length"] {
            #expect(answer.headers["inference-header-content-length"] == length)
            let split = Int(length) ?? 0
            let theirs = wire.response.bytes
            #expect(
                try JSON(parsing: Data(answer.body.prefix(split)))
                    == JSON(parsing: Data(theirs.prefix(split))))
            #expect(Array(answer.body.dropFirst(split)) == Array(theirs.dropFirst(split)))
            return
        }
        guard wire.path != "/metrics" else { return }
        #expect(answer.json.withoutMadeID == wire.response.withoutMadeID, "\(answer.json.text)")
        // Byte for byte as long, ids that are made included.
        #expect(answer.headers["content-length"] == wire.responseHeaders["content-length"])
        #expect(answer.headers["content-type"] == "application/json")
    }

    enum Expectation {
        case same
        case error(Int, String)
        case sentence(Int)
        case openAI(Int)
        case server

        init(_ wire: Case) {
            switch (wire.status, wire.path) {
            case (_, "/v2"), (_, "/v2/"): self = .server
            case (_, "/openai/v1/models"): self = .openAI(501)
            case (_, let path) where path.hasPrefix("/v2/repository"): self = .sentence(501)
            case (422, _): self = .sentence(400)
            case (404, "/nothing"): self = .error(404, "Not Found")
            case (405, _): self = .error(405, "Method Not Allowed")
            case (500, _)
            where ["KeyError", "IndexError", "cannot reshape"].contains(where: wire.response.text.contains):
                self = .sentence(400)
            case (400, _) where wire.response.text.contains("invalid datatype None"): self = .sentence(400)
            default: self = .same
            }
        }
    }
}

extension KServeWireTests.Case {
    /// The fixture writes bytes as Python does: `b'..\x00'`.
    var body: [UInt8] {
        guard let request else { return [] }
        if case .string = request { return request.bytes }
        return Array(request.text.utf8)
    }
}
