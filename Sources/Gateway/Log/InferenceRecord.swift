import Foundation

/// One request in the inference log (SPEC 12.2).
struct InferenceRecord {
    var fields: InferenceLogFields
    var model: String
    var requestID: [UInt8]
    var method: [UInt8]
    /// Below the stage: `/iris/v1/models/iris:predict`.
    var path: [UInt8]
    var status: Int
    var nanoseconds: Int64
    /// Seconds since 1970 when it ended.
    var time: Double

    func append(to bytes: inout [UInt8]) {
        let level = status >= 500 ? "ERROR" : status >= 400 ? "WARNING" : "INFO"
        field(#"{"easymakerAppKey":"#, fields.appKey.utf8, &bytes)
        field(#","category":"#, "easymaker.inference".utf8, &bytes)
        field(#","logLevel":"#, level.utf8, &bytes)
        let tenths = (nanoseconds + 50_000) / 100_000
        // The bytes of a path need not be UTF-8.
        let shown = String(decoding: path, as: UTF8.self)
        let text = "\(String(decoding: method, as: UTF8.self)) \(shown) \(status) \(tenths / 10).\(tenths % 10) ms"
        field(#","body":"#, text.utf8, &bytes)
        field(#","logType":"#, "NHNCloud-AIEasyMaker".utf8, &bytes)
        field(#","time":"#, InferenceRecord.format(time).utf8, &bytes)
        field(#","endpointId":"#, fields.endpointID.utf8, &bytes)
        field(#","endpointStageId":"#, fields.stageID.utf8, &bytes)
        field(#","inferenceId":"#, requestID, &bytes)
        field(#","action":"#, "Endpoint.Model".utf8, &bytes)
        field(#","modelName":"#, model.utf8, &bytes)
        bytes.append(contentsOf: "}\n".utf8)
    }

    private func field(_ name: String, _ value: some Sequence<UInt8>, _ bytes: inout [UInt8]) {
        bytes.append(contentsOf: name.utf8)
        JSONString.append(value, to: &bytes)
    }

    /// ISO 8601 in UTC with milliseconds.
    static func format(_ time: Double) -> String {
        var seconds = time_t(time.rounded(.down))
        let milliseconds = min(999, Int((time - Double(seconds)) * 1000))
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int32, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        let clock = "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
        return "\(date)T\(clock).\(padded(Int32(milliseconds), 3))Z"
    }
}
