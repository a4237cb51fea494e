#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One line of a training's log, as the server streams it.
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

    /// As it is shown; which node said it matters where there are several.
    func line(ofNodes nodes: Int) -> String { nodes > 1 ? "[node \(node)] \(text)" : text }
}
