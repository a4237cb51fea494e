import Foundation
import Logging
import NIOPosix
import Support
import Testing

@testable import Gateway

struct InferenceLogTests {
    private func record(_ path: String, status: Int, nanoseconds: Int64 = 3_149_000) throws -> [String: String] {
        var bytes: [UInt8] = []
        InferenceRecord(
            fields: InferenceLogFields(appKey: "k", endpointID: "e", stageID: "s", file: "f"), model: "iris",
            requestID: Array("id".utf8), method: Array("POST".utf8), path: Array(path.utf8), status: status,
            nanoseconds: nanoseconds, time: 1_700_000_000.0625
        ).append(to: &bytes)
        #expect(bytes.last == UInt8(ascii: "\n") && bytes.count { $0 == UInt8(ascii: "\n") } == 1)
        return try JSONDecoder().decode([String: String].self, from: Data(bytes))
    }

    @Test func fields() throws {
        #expect(
            try record("/iris/v1/models/iris:predict", status: 200) == [
                "easymakerAppKey": "k", "category": "easymaker.inference", "logLevel": "INFO",
                "body": "POST /iris/v1/models/iris:predict 200 3.1 ms", "logType": "NHNCloud-AIEasyMaker",
                "time": "2023-11-14T22:13:20.062Z", "endpointId": "e", "endpointStageId": "s", "inferenceId": "id",
                "action": "Endpoint.Model", "modelName": "iris",
            ])
        #expect(try record("/", status: 404)["logLevel"] == "WARNING")
        #expect(try record("/", status: 503)["logLevel"] == "ERROR")
        #expect(try record("/\"\\\u{1}é", status: 200)["body"] == "POST /\"\\\u{1}é 200 3.1 ms")
        #expect(try record("/", status: 200, nanoseconds: 12_345_678_900)["body"] == "POST / 200 12345.7 ms")
    }

    @Test func filesRotate() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/log"
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let writer = InferenceLogWriter(
            pool: pool, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, rotateAt: 100)
        for index in 0..<6 {
            writer.append(Array("\(index) \(String(repeating: "x", count: 100))\n".utf8), to: file)
            writer.drain()
        }
        writer.append(Array("6\n".utf8), to: file)
        writer.drain()
        let firsts: [String?] = ["", ".1", ".2", ".3", ".4"].map { ending in
            FileManager.default.contents(atPath: file + ending).map { String(decoding: $0.prefix(1), as: UTF8.self) }
        }
        #expect(firsts == ["6", "5", "4", "3", nil])
        let log = InferenceLog(path: file)
        #expect(log.last(3).split(separator: "\n").map(\.first) == ["4", "5", "6"])
        #expect(log.last(100).split(separator: "\n").count == 4)
        #expect(log.last(100, containing: "5 X").first == "5")
        #expect(log.last(2, containing: "xx").split(separator: "\n").map(\.first) == ["4", "5"])
        #expect(log.last(100, containing: "7").isEmpty && log.last(0).isEmpty)
        log.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        try await pool.shutdownGracefully()
    }

    @Test func linesOfManyThreadsAreWhole() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/log"
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let writer = InferenceLogWriter(pool: pool, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask { for index in 0..<500 { writer.append(Array("\(task) \(index)\n".utf8), to: file) } }
            }
        }
        try await pool.shutdownGracefully()
        writer.drain()
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2000 && Set(lines).count == 2000)
        for task in 0..<4 {
            let own = lines.filter { $0.hasPrefix("\(task) ") }.compactMap { Int($0.dropFirst(2)) }
            #expect(own == Array(0..<500))
        }
    }
}
