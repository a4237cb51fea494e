import Foundation
import Support
import Telemetry
import Testing

@Suite struct LogIndexTests {
    private let folder: TemporaryFolder
    private var path: String { "\(folder.path)/log" }

    init() throws { folder = try TemporaryFolder() }

    private func write(_ lines: Range<Int>, _ text: (Int) -> String = { "line \($0)" }) throws {
        let content = lines.map { "2026-11-24T05:58:37.000000Z O \(text($0))\n" }.joined()
        if !FileManager.default.fileExists(atPath: path) {
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
        }
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(content.utf8))
    }

    @Test func linesAreFoundByNumber() throws {
        try write(0..<2000)
        let index = LogIndex(path: path)
        #expect(index.update() == 2000)
        for first in [0, 1, 255, 256, 257, 1023, 1999] {
            #expect(index.lines(from: first, count: 1).map(\.text) == ["line \(first)"])
        }
        #expect(index.lines(from: 250, count: 600).map(\.text) == (250..<850).map { "line \($0)" })
        #expect(index.lines(from: 1990, count: 100).count == 10)
        #expect(index.lines(from: 2000, count: 5).isEmpty)
        #expect(index.lines(from: -5, count: 2).map(\.text) == ["line 0", "line 1"])
    }

    @Test func itGrowsWithTheLog() throws {
        let index = LogIndex(path: path)
        #expect(index.update() == 0)
        try write(0..<300)
        #expect(index.update() == 300)
        try write(300..<700)
        #expect(index.update() == 700)
        #expect(index.lines(from: 699, count: 1).map(\.text) == ["line 699"])
    }

    @Test func linesLongerThanABlockAreLinesToo() throws {
        try write(0..<600) { $0 % 100 == 7 ? String(repeating: "x", count: 60_000) : "line \($0)" }
        let index = LogIndex(path: path)
        #expect(index.update() == 600)
        #expect(index.lines(from: 507, count: 2).map { $0.text.count } == [60_000, 8])
    }

    @Test func aBrokenLineKeepsItsNumber() throws {
        try write(0..<1)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("cut\n".utf8))
        try write(1..<2)
        let index = LogIndex(path: path)
        #expect(index.update() == 3)
        #expect(index.lines(from: 0, count: 3).map(\.text) == ["line 0", "cut", "line 1"])
    }

    @Test func searchFindsEveryLineWhateverTheCase() throws {
        try write(0..<5000) { $0 % 1000 == 999 ? "Validation-Loss = \($0)" : "step \($0)" }
        let index = LogIndex(path: path)
        let found = index.search("validation-LOSS", limit: 3)
        #expect(found.total == 5 && found.matches == [999, 1999, 2999])
        // The time and the stream are no text.
        #expect(index.search("2026-11", limit: 10).total == 0)
        #expect(index.search("", limit: 10).total == 0)
        #expect(index.search("no such text", limit: 10).total == 0)
        // Over the end of a line there is another line.
        #expect(index.search("step 0\n", limit: 10).total == 0)
    }
}

@Suite struct MetricScannerTests {
    private func reports(_ line: String) -> [String] {
        MetricScanner.reports(in: line).map { "\($0.name)=\($0.value)" }
    }

    @Test(arguments: [
        ("loss = 0.25", ["loss=0.25"]), ("Validation-accuracy=0.9667", ["Validation-accuracy=0.9667"]),
        ("epoch = 20 loss = 0.0549 accuracy = 0.98", ["epoch=20.0", "loss=0.0549", "accuracy=0.98"]),
        ("val_loss=-1e-3, lr = +2.5E4", ["val_loss=-0.001", "lr=25000.0"]), ("a|b = .5", ["a|b=0.5"]),
        ("x = nan", []), ("x =", []), ("= 3", []), ("no metric here", []), ("--epochs=20", []), ("x == 3", []),
        ("損失 = 0.5", ["損失=0.5"]), ("x = 1.", ["x=1.0"]), ("x = 1e", ["x=1.0"]),
    ])
    func everyNameAndValueOfALine(line: String, expected: [String]) {
        #expect(reports(line) == expected)
    }

    @Test func aLongSeriesIsThinnedOutEvenly() {
        var series = MetricSeries()
        for step in 1...10_000 { series.append(Double(step)) }
        #expect(series.count == 10_000 && series.minimum == 1 && series.maximum == 10_000 && series.latest == 10_000)
        #expect(series.points.count <= 1000 && series.points.count >= 500)
        #expect(series.points.allSatisfy { Double($0.step) == $0.value })
        #expect(series.curve.last?.step == 10_000)
    }

    @Test func aLogIsReadOnFromWhereItWasLeft() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/log"
        var writer = try LogWriter(path: path)
        let log = MetricLog(path: path)
        writer.write("loss = 3\n".utf8, .stdout)
        #expect(log.read().map(\.series.latest) == [3])
        writer.write("loss = 2\nacc = 1\n".utf8, .stdout)
        writer.write(system: "time = 5")
        let found = log.read()
        #expect(found.map(\.name) == ["loss", "acc"])
        #expect(found.first?.series.count == 2)
    }
}

@Suite struct RotatedLogTests {
    @Test func aFileThatTakesTheOthersPlaceIsReadAnew() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/log"
        try Data("one\ntwo\n".utf8).write(to: URL(filePath: path))
        let index = LogIndex(path: path)
        #expect(index.update() == 2)
        try FileManager.default.moveItem(atPath: path, toPath: "\(path).1")
        try Data("longer than it was before\nlast\nof all\n".utf8).write(to: URL(filePath: path))
        #expect(index.update() == 3)
        #expect(index.lines(from: 0, count: 1).map(\.text) == ["longer than it was before"])
    }
}

@Suite struct SampleLogTests {
    @Test func aMonthOfSamplesIsThinnedOutAndReadOn() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/samples.jsonl"
        func line(_ time: Int) throws -> Data { try Sample(time: Double(time), cpuPercent: 50).line() }
        let log = SampleLog(path: path)
        #expect(log.read().isEmpty)
        var content = Data()
        for time in 0..<100 { content += try line(time) }
        try content.write(to: URL(filePath: path))
        #expect(log.read().map(\.time) == (0..<100).map(Double.init))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        for time in 100..<5000 { try handle.write(contentsOf: try line(time)) }
        try handle.write(contentsOf: Data("{\"time\":".utf8))
        let all = log.read().map(\.time)
        #expect(all.count > 300 && all.count <= 801)
        let steps = Set(zip(all, all.dropFirst()).map { $1 - $0 })
        #expect(steps.count == 1 && all.first == 0, "not even: \(steps)")
    }
}
