import Logging
import NIOSSL
import Synchronization

/// What all event loops share.
final class GatewayCore: Sendable {
    let settings: GatewaySettings
    let registry = RouteRegistry()
    let statistics: StatisticsStore
    let log: InferenceLogWriter
    let tls: NIOSSLContext
    let logger: Logger
    /// A request waits for the resource of a stage, which has no backend.
    let wanted: @Sendable (_ stage: String, _ resource: String) -> Void
    /// Copies of requests that are on their way to shadow stages.
    let shadows = Atomic<Int>(0)
    static let shadowLimit = 64

    init(
        settings: GatewaySettings, statistics: StatisticsStore, log: InferenceLogWriter, tls: NIOSSLContext,
        logger: Logger, wanted: @escaping @Sendable (_ stage: String, _ resource: String) -> Void
    ) {
        self.settings = settings
        self.statistics = statistics
        self.log = log
        self.tls = tls
        self.logger = logger
        self.wanted = wanted
    }
}
