import Foundation
import Testing

@testable import FeatureKit

/// What an older version of the platform has started, and until when it should be started anew (12.7).
struct PlatformVersionTests {
    private let day = 24 * 3600.0
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    @Test func onlyWhatAnOlderVersionStartedExpires() {
        let platform = PlatformVersion(version: 3, since: now)
        #expect(platform.expiry(of: 3, isRunning: true) == nil)
        #expect(platform.expiry(of: 2, isRunning: true) == now.addingTimeInterval(90 * day))
        #expect(platform.expiry(of: 2, isRunning: false) == nil, "it is started anew anyway")
        #expect(
            platform.expiry(of: nil, isRunning: true) == now.addingTimeInterval(90 * day), "before versions were kept")
        #expect(PlatformVersion(version: 1, since: now).expiry(of: nil, isRunning: true) == nil)
    }

    @Test func theDateOutlivesTheServerAndBeginsAnewWithAVersion() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = PlatformVersion(file: path, version: 1, now: now)
        let again = PlatformVersion(file: path, version: 1, now: now.addingTimeInterval(30 * day))
        #expect(again.expiry(of: 0, isRunning: true) == first.expiry(of: 0, isRunning: true))
        let next = PlatformVersion(file: path, version: 2, now: now.addingTimeInterval(40 * day))
        #expect(next.expiry(of: 1, isRunning: true) == now.addingTimeInterval(130 * day))
    }
}
