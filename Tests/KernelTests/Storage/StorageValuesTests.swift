import Foundation
import Testing

@testable import Storage

@Suite struct StorageValuesTests {
    @Test func datesRoundTrip() {
        #expect(Timestamp(seconds: 784_111_777).httpDate == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(Timestamp(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT") == Timestamp(seconds: 784_111_777))
        #expect(Timestamp(ticks: 170_000_000_012_345).header == "1700000000.12345")
        #expect(Timestamp(ticks: 170_000_000_012_345).iso8601 == "2023-11-14T22:13:20.123450")
        #expect(Timestamp(ticks: 170_000_000_012_345).httpDate == "Tue, 14 Nov 2023 22:13:21 GMT")
        #expect(Timestamp(httpDate: "yesterday") == nil)
        #expect(Timestamp(httpDate: "Sun, 99 Nov 1994 08:49:37 GMT") == nil)
        for day in stride(from: 0, to: 100 * 366, by: 1) {
            let seconds = Int64(day) * 86400 + 12345
            let time = CivilTime(secondsSince1970: seconds)
            #expect(time.secondsSince1970 == seconds)
        }
    }

    @Test func datesAgreeWithFoundation() {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        for seconds in [0, 951_782_399, 951_782_400, 1_709_164_800, 1_709_251_199, 4_102_444_799] as [Int64] {
            #expect(
                Timestamp(seconds: seconds).httpDate
                    == formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds))))
        }
    }

    @Test func rangesResolve() {
        #expect(ByteRange("bytes=0-4")?.resolved(in: 10) == 0..<5)
        #expect(ByteRange("bytes=5-")?.resolved(in: 10) == 5..<10)
        #expect(ByteRange("bytes=-3")?.resolved(in: 10) == 7..<10)
        #expect(ByteRange("bytes=-30")?.resolved(in: 10) == 0..<10)
        #expect(ByteRange("bytes=5-100")?.resolved(in: 10) == 5..<10)
        #expect(ByteRange("bytes=0-9223372036854775807")?.resolved(in: 10) == 0..<10)
        #expect(ByteRange("bytes=10-")?.resolved(in: 10) == nil)
        #expect(ByteRange("bytes=-0")?.resolved(in: 10) == nil)
        for nonsense in ["bytes=4-2", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=1-2,4-5", "bytes=+1-2"] {
            #expect(ByteRange(nonsense) == nil, "\(nonsense)")
        }
    }

    @Test func percentEncodingRoundTrips() {
        let name = "a b/é%2F?#&+..//\u{7F}"
        let encoded = PercentEncoding.encode(name, keepingSlashes: true)
        #expect(encoded == "a%20b/%C3%A9%252F%3F%23%26%2B..//%7F")
        #expect(PercentEncoding.decode(encoded) == name)
        #expect(PercentEncoding.decode("100%") == "100%")
        #expect(PercentEncoding.decode("%zz%4") == "%zz%4")
        #expect(PercentEncoding.decode("%ff") == nil)
        #expect(PercentEncoding.decode("%2541") == "%41")
    }

    @Test func sizesAreReadable() {
        #expect(Int64(0).byteText == "0 B")
        #expect(Int64(1023).byteText == "1023 B")
        #expect(Int64(1_288_490_189).byteText == "1.2 GiB")
    }
}
