#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Times of the wire (RFC 3339, the zone with or without its colon, any number of decimals) in the user's zone.
enum Timestamp {
    /// Seconds since 1970, by this machine's clock.
    static var now: Int { Int(Date().timeIntervalSince1970) }

    /// `2026-01-31 14:05:09`; the text itself where it is no time.
    static func local(_ text: String?) -> String {
        guard let text else { return "" }
        return seconds(text).map { local($0) } ?? text
    }

    static func local(_ seconds: Int) -> String {
        parts(seconds) { "\($0)-\($1)-\($2) \($3):\($4):\($5)" }
    }

    /// `20260131-140509`, for names that are made up.
    static func compact(_ date: Date) -> String {
        parts(Int(date.timeIntervalSince1970)) { "\($0)\($1)\($2)-\($3)\($4)\($5)" }
    }

    /// Seconds since 1970.
    static func seconds(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else {
                return nil
            }
            return bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month)
        else { return nil }
        var zone = bytes[19...].drop { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }.filter {
            $0 != UInt8(ascii: ":")
        }
        var offset = 0
        if let sign = zone.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            zone.removeFirst()
            guard zone.count == 4, let value = Int(String(decoding: zone, as: UTF8.self)) else { return nil }
            offset = (value / 100 * 60 + value % 100) * (sign == UInt8(ascii: "-") ? -60 : 60)
        }
        return days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
    }

    /// Days since 1970 in the Gregorian calendar, by Howard Hinnant's `days_from_civil`.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func parts(
        _ seconds: Int, _ format: (String, String, String, String, String, String) -> String
    ) -> String {
        var time = time_t(seconds)
        var local = tm()
        localtime_r(&time, &local)
        return format(
            String(Int(local.tm_year) + 1900), Format.two(Int(local.tm_mon) + 1), Format.two(Int(local.tm_mday)),
            Format.two(Int(local.tm_hour)), Format.two(Int(local.tm_min)), Format.two(Int(local.tm_sec)))
    }
}
