import NIOCore

/// The listener for users' programs: TLS only, each request by the gate's leave.
package struct AppsDoor: Sendable {
    /// 0: any free one.
    package var port: Int
    package var gate: any AppGate
    /// Called once it listens.
    package var started: @Sendable (_ port: Int) async -> Void
    /// Between two questions whether a connection may stay.
    package var checkInterval: Duration
    /// What an answer's head may take, counted from the request's last byte.
    package var timeout: Duration

    package init(
        port: Int, gate: any AppGate, checkInterval: Duration = .seconds(5), timeout: Duration = .seconds(600),
        started: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.port = port
        self.gate = gate
        self.started = started
        self.checkInterval = checkInterval
        self.timeout = timeout
    }
}

/// What a connection has from the listener that it came in by.
final class Door: Sendable {
    /// nil: the table of routes decides.
    let gate: GateKeeper?
    let bodyLimit: Int
    let timeout: TimeAmount
    /// What refusals call whoever should have answered.
    let program: String

    init(_ settings: GatewaySettings) {
        gate = nil
        bodyLimit = settings.bodyLimit
        timeout = .seconds(Int64(settings.timeout))
        program = "the model's pod"
    }

    init(_ apps: AppsDoor) {
        gate = GateKeeper(apps.gate, checkInterval: TimeAmount(apps.checkInterval))
        bodyLimit = .max
        timeout = TimeAmount(apps.timeout)
        program = "the program"
    }
}
