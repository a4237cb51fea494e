import Foundation
import Support
import Telemetry
import Testing

@Suite struct LogTests {
    private let folder: TemporaryFolder
    private var path: String { "\(folder.path)/log" }

    init() throws { folder = try TemporaryFolder() }

    private func write(_ parts: [(String, LogLine.Stream)]) throws {
        var writer = try LogWriter(path: path)
        for (text, stream) in parts { writer.write(Array(text.utf8), stream) }
        writer.finish()
    }

    @Test func splitsLinesAndKeepsStreamsApart() throws {
        try write([("on", .stdout), ("err one\nerr", .stderr), ("e\ntwo\n", .stdout), (" two", .stderr)])
        let lines = LogReader(path: path).read(from: 0).lines.map(\.line)
        #expect(lines.map(\.text) == ["err one", "one", "two", "err two"])
        #expect(lines.map(\.stream) == [.stderr, .stdout, .stdout, .stderr])
        #expect(lines[0].time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)
    }

    @Test func aProgressBarBecomesLines() throws {
        try write([("\r 10%\r 50%\r100%\r\ndone\n", .stdout)])
        #expect(LogReader(path: path).read(from: 0).lines.map(\.line.text) == [" 10%", " 50%", "100%", "", "done"])
    }

    @Test func anEndlessLineIsCut() throws {
        try write([(String(repeating: "x", count: 200_000), .stdout)])
        let texts = LogReader(path: path).read(from: 0).lines.map(\.line.text)
        #expect(texts.count == 4)
        #expect(texts.joined().count == 200_000)
    }

    @Test func findsTheLastLinesFromTheEnd() throws {
        let text = (0..<50_000).map { "line \($0)\n" }.joined()
        try write([(text, .stdout)])
        let reader = LogReader(path: path)
        #expect(
            reader.read(from: reader.offset(ofLast: 3)).lines.map(\.line.text) == [
                "line 49997", "line 49998", "line 49999",
            ])
        #expect(reader.offset(ofLast: 1_000_000) == 0)
        #expect(reader.offset(ofLast: 0) == reader.size)
    }

    @Test func readsOnFromAnOffsetWithoutLosingOrRepeating() throws {
        try write([((0..<9000).map { "line \($0)\n" }.joined(), .stdout)])
        let reader = LogReader(path: path)
        var (offset, texts) = (0, [String]())
        while true {
            let chunk = reader.read(from: offset, limit: 1000)
            if chunk.next == offset { break }
            texts += chunk.lines.map(\.line.text)
            offset = chunk.next
        }
        #expect(texts == (0..<9000).map { "line \($0)" })
    }

    @Test func aMissingLogIsEmpty() {
        #expect(LogReader(path: "\(folder.path)/none").read(from: 0).lines.isEmpty)
    }
}
