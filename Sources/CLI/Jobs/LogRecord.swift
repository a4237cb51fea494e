#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One line of a log, as the server streams it.
struct LogRecord: Equatable, Sendable {
    /// Where the text was written.
    enum Stream: String, Sendable {
        case stdout
        case stderr
        /// The platform's own words: what is being fetched, installed, uploaded.
        case system
    }

    var time: String
    var stream: Stream
    var node: Int
    var text: String
    /// Where the line is in the log of its node, in bytes.
    var offset: Int
    /// As it came, for `--output json`.
    var json: JSONValue

    /// - Returns: nil where the bytes are no such line.
    init?(_ line: some Collection<UInt8>) {
        guard let json = try? JSONValue(parsing: Data(line)), let text = json["text"].string,
            let offset = json["offset"].int
        else { return nil }
        self.json = json
        self.text = text
        self.offset = offset
        time = json["time"].text
        stream = json["stream"].string.flatMap(Stream.init) ?? .stdout
        node = json["node"].int ?? 0
    }

    /// A line of the plain log, `2026-01-31T14:05:09.123456Z text`.
    init(plain line: Substring, node: Int) {
        let space = line.firstIndex(of: " ") ?? line.endIndex
        let hasTime = Timestamp.seconds(String(line[..<space])) != nil
        time = hasTime ? String(line[..<space]) : ""
        text = String(hasTime && space < line.endIndex ? line[line.index(after: space)...] : hasTime ? "" : line)
        stream = .stdout
        self.node = node
        offset = 0
        json = .object(["time": .string(time), "node": .int(Int64(node)), "text": .string(text)])
    }

    /// As it is shown; which node said it matters where there are several.
    func line(ofNodes nodes: Int, withTime: Bool = false) -> String {
        let prefix = nodes > 1 ? "[node \(node)] " : ""
        return withTime ? "\(time) \(prefix)\(text)" : prefix + text
    }
}
