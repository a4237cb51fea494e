import Foundation

/// What this server starts notebooks and pods as, and since when: ones that an older version started should be started
/// anew (12.7).
package struct PlatformVersion: Sendable {
    /// Raised whenever what runs lacks something until it is started again.
    package static let current = 1
    /// Seconds that they have for it.
    static let patience: TimeInterval = 90 * 24 * 3600

    package let version: Int
    /// When this version first ran here.
    let since: Date

    package init(version: Int = PlatformVersion.current, since: Date) {
        self.version = version
        self.since = since
    }

    private struct File: Codable {
        var version: Int
        var since: Date
    }

    /// - Parameter path: of the file where it is kept since when this version has been running.
    package init(file path: String, version: Int = PlatformVersion.current, now: Date) {
        self.version = version
        if let data = FileManager.default.contents(atPath: path),
            let file = try? JSONDecoder().decode(File.self, from: data), file.version == version
        {
            since = file.since
        } else {
            since = now
            // Where it cannot be written, the date moves on: nothing expires too early.
            try? JSONEncoder().encode(File(version: version, since: now)).write(
                to: URL(fileURLWithPath: path), options: .atomic)
        }
    }

    /// - Parameter started: nil for what was started before versions were kept.
    /// - Returns: nil for what is up to date, or is started anew anyway.
    package func expiry(of started: Int?, isRunning: Bool) -> Date? {
        guard isRunning, started ?? 1 < version else { return nil }
        return since.addingTimeInterval(PlatformVersion.patience)
    }
}
