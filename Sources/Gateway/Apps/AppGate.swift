/// Decides on each request for users' programs: where it goes, or what is answered instead.
package protocol AppGate: Sendable {
    /// Called for every request, also of a connection that was let in before. May take its time: only this connection waits.
    func open(_ request: AppRequest) async -> AppAnswer
}

package enum AppAnswer: Sendable {
    case pass(AppPass)
    /// Without `Content-Length` and `Connection`, which are added.
    case answer(status: Int, headers: [(String, String)], body: [UInt8])
}

/// Where a request may go.
package struct AppPass: Sendable {
    /// On 127.0.0.1.
    package var port: Int
    /// Path and query in place of the request's, ASCII; nil: as they were sent.
    package var target: String?
    /// For the program, in place of headers of the same name.
    package var headers: [(String, String)]
    /// Asked again every few seconds while a WebSocket is open or an answer streams; false closes the connection.
    package var mayStay: @Sendable () async -> Bool

    package init(
        port: Int, target: String? = nil, headers: [(String, String)] = [],
        mayStay: @escaping @Sendable () async -> Bool = { true }
    ) {
        self.port = port
        self.target = target
        self.headers = headers
        self.mayStay = mayStay
    }
}
