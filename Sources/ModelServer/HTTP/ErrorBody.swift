import NIOCore

/// The two forms of errors. A route has one of them, whatever went wrong.
enum ErrorBody {
    static func write(_ error: ServingError, door: Metrics.Door, to body: inout ByteBuffer) {
        guard door == .openai else {
            body.writeStaticString(#"{"error":"#)
            body.writeJSON(error.message)
            body.writeInteger(UInt8(ascii: "}"))
            return
        }
        body.writeStaticString(#"{"error":{"message":"#)
        body.writeJSON(error.message)
        body.writeStaticString(#","type":"#)
        body.writeString(error.type ?? (error.status < 500 ? #""invalid_request_error""# : #""server_error""#))
        body.writeStaticString(#","param":"#)
        body.writeString(error.param ?? "null")
        body.writeStaticString(#","code":"#)
        body.writeString(error.code ?? "null")
        body.writeStaticString("}}")
    }
}
