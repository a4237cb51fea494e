import Telemetry
import Testing

@Suite struct MetricPatternTests {
    private func values(_ line: String, _ pattern: String = MetricPattern.standard) throws -> [String] {
        try MetricPattern(pattern).reports(in: line, of: ["loss"]).map(\.text)
    }

    /// Each of them looked at the whole rest of the line, which took a second for one line of 64 KiB.
    @Test func lookingAtALineIsBounded() throws {
        let line = String(repeating: "loss ", count: 13_000)
        #expect(try values(line, #"(loss)((?: = \d)|.*X)?"#).count == MetricPattern.mostMatches)
    }

    @Test func whatIsBehindTheLimitIsNotLookedAt() throws {
        let padding = String(repeating: "x", count: MetricPattern.mostBytes - 20)
        #expect(try values("\(padding) loss = 0.25 loss = 0.125") == ["0.25"])
        #expect(try values("\(padding) loss = 0.25 then loss = 4") == ["0.25"])
        #expect(try values("\(padding)xxx loss = 0.123456789") == [])
        #expect(try values("\(padding)xxx loss = 0.1234567") == ["0.1234567"])
    }

    @Test func everyReportOfAnOrdinaryLineCounts() throws {
        let line = (0..<200).map { "loss = \($0)" }.joined(separator: ", ")
        #expect(try values(line) == (0..<200).map { "\($0)" })
    }
}
