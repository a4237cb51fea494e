import Foundation
import Resource

/// A stage's statistics on disk: `{"stage":"…","minutes":[[minute,succeeded,refused,failed,class,count,class,count,…],…]}`.
///
/// Only classes that have a count: a week of all sixty-five would be fifteen times as much to write every ten seconds. For
/// the same reason it is put together by hand.
enum StatisticsFile {
    private struct Content: Decodable {
        var stage: String
        var minutes: [[Int]]
    }

    static func name(_ stage: String) -> String {
        stage.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                String(UnicodeScalar(byte))
            default: "_" + String(byte, radix: 16)
            }
        }.joined() + ".json"
    }

    static func encode(_ stage: String, _ statistics: StageStatistics) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64 + statistics.minutes.count * 100)
        bytes.append(contentsOf: #"{"stage":"#.utf8)
        JSONString.append(stage.utf8, to: &bytes)
        bytes.append(contentsOf: #","minutes":["#.utf8)
        for (index, minute) in statistics.minutes.enumerated() {
            bytes.append(contentsOf: (index == 0 ? "[" : ",\n[").utf8)
            append([minute.minute, minute.succeeded, minute.refused, minute.failed], &bytes)
            for (index, count) in minute.latencies.enumerated() where count > 0 {
                bytes.append(Bytes.comma)
                append([index, count], &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        }
        bytes.append(contentsOf: "]}\n".utf8)
        return bytes
    }

    static func decode(_ data: Data) throws -> (stage: String, statistics: StageStatistics) {
        let content = try JSONDecoder().decode(Content.self, from: data)
        let minutes = try content.minutes.map { numbers in
            guard numbers.count >= 4, numbers.count.isMultiple(of: 2), numbers.allSatisfy({ $0 >= 0 }) else {
                throw TakumiError(.failed, "a minute of the statistics has \(numbers.count) numbers")
            }
            var minute = StageStatistics.Minute(minute: numbers[0])
            (minute.succeeded, minute.refused, minute.failed) = (numbers[1], numbers[2], numbers[3])
            for index in stride(from: 4, to: numbers.count, by: 2) {
                guard minute.latencies.indices.contains(numbers[index]) else {
                    throw TakumiError(.failed, "the statistics have no latency class \(numbers[index])")
                }
                minute.latencies[numbers[index]] = numbers[index + 1]
            }
            return minute
        }
        return (content.stage, StageStatistics(minutes: minutes.sorted { $0.minute < $1.minute }))
    }

    /// Replaces the file whole. Without waiting for the disk: a killed process loses nothing, a power cut ten seconds.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let temporary = path + ".tmp"
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: temporary))
            guard rename(temporary, path) == 0 else {
                throw TakumiError(.failed, "cannot rename \(temporary): \(String(cString: strerror(errno)))")
            }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func append(_ numbers: [Int], _ bytes: inout [UInt8]) {
        for (index, number) in numbers.enumerated() {
            if index > 0 { bytes.append(Bytes.comma) }
            bytes.append(contentsOf: String(number).utf8)
        }
    }
}
