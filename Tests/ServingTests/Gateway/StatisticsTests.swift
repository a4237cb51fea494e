import Foundation
import Logging
import Support
import Testing

@testable import Gateway

struct StatisticsTests {
    private func minute(_ minute: Int, succeeded: Int = 0, latency: Int = 0) -> StageStatistics.Minute {
        var result = StageStatistics.Minute(minute: minute)
        result.succeeded = succeeded
        result.latencies[latency] = succeeded
        return result
    }

    @Test func latencyClasses() {
        #expect(StageStatistics.latencyClass(nanoseconds: 0) == 0)
        #expect(StageStatistics.latencyClass(nanoseconds: 50_000) == 0)
        #expect(StageStatistics.latencyClass(nanoseconds: 50_001) == 1)
        #expect(StageStatistics.latencyClass(nanoseconds: .max) == StageStatistics.bounds.count)
        for (index, bound) in StageStatistics.bounds.enumerated() {
            #expect(StageStatistics.latencyClass(nanoseconds: Int64(bound * 1e6)) == index)
        }
    }

    @Test func percentiles() throws {
        let counter = StageCounter(stage: "s")
        for milliseconds in 1...1000 {
            counter.record(status: 200, nanoseconds: Int64(milliseconds) * 1_000_000, minute: 1)
        }
        let latencies = try #require(counter.take().first).latencies
        for (part, exact) in [(0.5, 500.0), (0.95, 950), (0.99, 990), (1, 1000)] {
            let found = try #require(StageStatistics.percentile(part, of: latencies))
            #expect(found >= exact && found <= exact * 1.25, "\(part): \(found)")
        }
        #expect(StageStatistics.percentile(0.5, of: []) == nil)
    }

    @Test func statusesAreCountedByClassAndMinute() {
        let counter = StageCounter(stage: "s")
        for status in [101, 200, 302, 400, 404, 499, 500, 504] {
            counter.record(status: status, nanoseconds: 1, minute: 7)
        }
        counter.record(status: 200, nanoseconds: 1, minute: 8)
        let minutes = counter.take()
        #expect(minutes.map(\.minute) == [7, 8])
        #expect(minutes[0].succeeded == 3 && minutes[0].refused == 3 && minutes[0].failed == 2)
        #expect(minutes[0].calls == 8 && minutes[0].latencies.reduce(0, +) == 8)
        #expect(counter.take().isEmpty)
    }

    @Test func minutesOfSeveralLoopsMerge() {
        var statistics = StageStatistics()
        statistics.merge([minute(5, succeeded: 1), minute(7, succeeded: 2)])
        statistics.merge([minute(6, succeeded: 3), minute(7, succeeded: 4, latency: 9)])
        statistics.merge([minute(4, succeeded: 5)])
        #expect(statistics.minutes.map(\.minute) == [4, 5, 6, 7])
        #expect(statistics.minutes.map(\.succeeded) == [5, 1, 3, 6])
        #expect(statistics.minutes[3].latencies[0] == 2 && statistics.minutes[3].latencies[9] == 4)
    }

    @Test func aWeekIsKept() {
        var statistics = StageStatistics(minutes: [minute(100), minute(101), minute(10_180)])
        statistics.dropOld(now: 10_180)
        #expect(statistics.minutes.map(\.minute) == [101, 10_180])
        statistics.dropOld(now: 10_181)
        #expect(statistics.minutes.map(\.minute) == [10_180])
    }

    @Test func filesHoldAll() throws {
        var minutes = [minute(3, succeeded: 4, latency: StageStatistics.bounds.count), minute(4)]
        minutes[0].refused = 1
        minutes[0].failed = 2
        minutes[0].latencies[0] = 3
        let statistics = StageStatistics(minutes: minutes)
        let (stage, decoded) = try StatisticsFile.decode(Data(StatisticsFile.encode("a\"/ü", statistics)))
        #expect(stage == "a\"/ü" && decoded == statistics)
        #expect(StatisticsFile.name("../a_B") == "_2e_2e_2fa_5fB.json")
        for text in ["", "[]", #"{"stage":"s","minutes":[[1,2]]}"#, #"{"stage":"s","minutes":[[1,2,3,4,99,1]]}"#] {
            #expect(throws: (any Error).self) { try StatisticsFile.decode(Data(text.utf8)) }
        }
    }

    @Test func storesComeBack() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/statistics"
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let store = try StatisticsStore(folder: path, logger: logger)
        store.merge([minute(9, succeeded: 2)], stage: "s")
        store.merge([minute(9, succeeded: 1)], stage: "t")
        store.save()
        store.merge([minute(9, succeeded: 3)], stage: "s")
        let second = try StatisticsStore(folder: path, logger: logger)
        #expect(second.statistics(of: "s").minutes.map(\.succeeded) == [2])
        #expect(store.statistics(of: "s").minutes.map(\.succeeded) == [5])
        second.forget("s")
        // Its last requests, counted after it was deleted.
        second.merge([minute(9, succeeded: 7)], stage: "s")
        second.save()
        let third = try StatisticsStore(folder: path, logger: logger)
        #expect(third.statistics(of: "s").minutes.isEmpty)
        #expect(third.statistics(of: "t").minutes.map(\.succeeded) == [1])
        second.expect(["s"])
        second.merge([minute(9, succeeded: 7)], stage: "s")
        #expect(second.statistics(of: "s").minutes.map(\.succeeded) == [7])
    }

    @Test func aBrokenFileIsLeftOut() throws {
        let folder = try TemporaryFolder()
        try Data("{".utf8).write(to: URL(fileURLWithPath: folder.path + "/x.json"))
        let store = try StatisticsStore(
            folder: folder.path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(store.statistics(of: "x").minutes.isEmpty)
    }
}
