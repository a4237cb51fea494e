#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A moment as Swift counts it: `X-Timestamp` has five decimals, so the unit is 10 µs since 1970.
package struct Timestamp: Sendable, Hashable, Comparable, Codable {
    package let ticks: Int64

    package init(ticks: Int64) { self.ticks = ticks }
    package init(seconds: Int64) { ticks = seconds * 100_000 }

    package init(from decoder: any Decoder) throws { ticks = try decoder.singleValueContainer().decode(Int64.self) }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(ticks)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.ticks < right.ticks }

    /// The wall clock.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(ticks: Int64(time.tv_sec) * 100_000 + Int64(time.tv_nsec) / 10_000)
    }

    /// `1700000000.12345`
    package var header: String { "\(Int(ticks / 100_000).padded(10)).\(Int(ticks % 100_000).padded(5))" }

    /// `2026-01-31T00:00:00.123450`, as listings show it.
    package var iso8601: String {
        let time = CivilTime(secondsSince1970: ticks / 100_000)
        return "\(time.year.padded(4))-\(time.month.padded(2))-\(time.day.padded(2))T\(time.hour.padded(2)):"
            + "\(time.minute.padded(2)):\(time.second.padded(2)).\(Int(ticks % 100_000 * 10).padded(6))"
    }

    /// Whole seconds, rounded up: `Last-Modified` must not lie before the change.
    package var wholeSeconds: Int64 { (ticks + 99_999) / 100_000 }

    /// `Sat, 31 Jan 2026 00:00:00 GMT`, rounded up to a second.
    package var httpDate: String {
        let time = CivilTime(secondsSince1970: wholeSeconds)
        return "\(Self.weekdays[time.weekday]), \(time.day.padded(2)) \(Self.months[time.month - 1]) "
            + "\(time.year.padded(4)) \(time.hour.padded(2)):\(time.minute.padded(2)):\(time.second.padded(2)) GMT"
    }

    /// Reads the preferred form of an HTTP date; nil for anything else, which a server has to ignore (RFC 9110, 13.1.3).
    package init?(httpDate: String) {
        let parts = httpDate.split(whereSeparator: { $0 == " " || $0 == ":" })
        guard parts.count == 8, parts[7] == "GMT", let day = Int(parts[1]), let year = Int(parts[3]),
            let month = Self.months.firstIndex(where: { $0 == parts[2] }),
            let hour = Int(parts[4]), let minute = Int(parts[5]), let second = Int(parts[6]),
            (1...31).contains(day), (1970...9999).contains(year), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        self.init(
            seconds: CivilTime(
                year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second
            ).secondsSince1970)
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
