import Foundation
import Hummingbird
import Testing

@testable import ObjectStorageFeature
@testable import Storage

@Test(.enabled(if: ProcessInfo.processInfo.environment["STORAGE_HARNESS"] != nil)) func harness() async throws {
    let root = ProcessInfo.processInfo.environment["STORAGE_HARNESS"]!
    let store = try DiskStore(root: root)
    let router = Router()
    ObjectStorageAPI(store: store, authority: FakeAuthority(), publicURL: { "http://127.0.0.1:18080" }).addRoutes(
        to: router)
    let app = Application(
        router: router, server: .http1(configuration: .init(additionalChannelHandlers: [ContinueHandler()])),
        configuration: .init(address: .hostname("127.0.0.1", port: 18080)))
    try await app.runService()
}
