import NIOCore
import NIOHTTP1

/// What is known of the request that a connection is at.
struct Exchange {
    var route = Route.alive
    var door = Metrics.Door.other
    var keepAlive = true
    var isOldHTTP = false
    /// The answer has no body.
    var isHead = false
    var begin = NIODeadline.now()
    /// `Inference-Header-Content-Length`, nil where it is missing. -1 where it is no number.
    var jsonLength: Int?
    var isOctets = false
    var wishes = V2Wishes()
    var verb = InferenceRequest.Verb.predict
    var headers: HTTPHeaders = [:]

    var elapsed: Double { Double((NIODeadline.now() - begin).nanoseconds) / 1e9 }

    mutating func begin(_ head: HTTPRequestHead) {
        // NIO's decoder takes nothing more after a request that offers another protocol (`Upgrade: h2c`).
        keepAlive = head.isKeepAlive && !head.headers.contains(name: "upgrade")
        isOldHTTP = head.version.minor == 0
        isHead = head.method == .HEAD
        begin = .now()
        jsonLength = nil
        isOctets = false
        headers = head.headers
    }

    /// Takes what v2 needs from the headers.
    mutating func note(_ headers: HTTPHeaders) {
        guard route == .v2Infer || route == .byBody else { return }
        jsonLength = headers.first(name: "inference-header-content-length").map { Int($0) ?? -1 }
        isOctets = headers.first(name: "content-type")?.lowercased().hasPrefix("application/octet-stream") == true
    }
}

extension Route {
    var takesBody: Bool {
        switch self {
        case .v1Infer, .v2Infer, .openAI, .byBody: true
        default: false
        }
    }
}
