/// Follows the log of one node over connections that may break: no line is lost and none comes twice.
///
/// Returns what to do and does nothing itself. The caller opens streams, hands over what arrives, and says how each ended.
struct LogFollow {
    enum Action: Equatable {
        /// Open the stream from a byte on; from its last lines, or its beginning, where nothing was read yet.
        case open(offset: Int?)
        /// Wait, then open again.
        case wait(milliseconds: Int, offset: Int?)
        /// Ask whether whose log it is has ended, and answer with `answered`.
        case askWhetherEnded
        case finish
        /// The server could not be reached for too long.
        case giveUp
    }

    /// For how long a server that is gone may stay gone.
    static let patience = 60_000
    private static let pauses = [200, 500, 1000, 2000]

    /// The offset of the last whole line that was handed on.
    private(set) var last: Int?
    private var partial: [UInt8] = []
    /// How often, and for how many milliseconds, nothing has come.
    private var failures = 0
    private var waited = 0
    private var hasEnded = false

    /// More of the stream.
    /// - Returns: the lines that are whole by now and were not handed on before.
    mutating func received(_ bytes: some Sequence<UInt8>) -> [LogRecord] {
        partial += bytes
        var records: [LogRecord] = []
        var start = partial.startIndex
        while let end = partial[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if let record = LogRecord(partial[start..<end]), isNew(record) {
                last = record.offset
                records.append(record)
            }
            start = end + 1
        }
        partial.removeSubrange(..<start)
        if !records.isEmpty { (failures, waited) = (0, 0) }
        return records
    }

    /// A stream that is opened at a line's offset begins with that line again.
    private func isNew(_ record: LogRecord) -> Bool { last.map { record.offset > $0 } ?? true }

    /// The stream came to its end in good order. That may be the log's end, or only the server's.
    mutating func streamEnded() -> Action {
        partial = []
        return hasEnded ? .finish : .askWhetherEnded
    }

    /// The answer to `askWhetherEnded`. Where it has ended, the stream is opened once more: if it was the server that
    /// ended it, the lines since then have yet to come.
    mutating func answered(hasEnded: Bool) -> Action {
        self.hasEnded = hasEnded
        if hasEnded { return .open(offset: last) }
        // The server answers, so nothing is lost; there is only nothing more to say yet.
        waited = 0
        return pause()
    }

    /// The stream broke, or could not be opened.
    mutating func connectionLost() -> Action {
        partial = []
        return pause()
    }

    private mutating func pause() -> Action {
        let pause = Self.pauses[min(failures, Self.pauses.count - 1)]
        failures += 1
        waited += pause
        return waited > Self.patience ? .giveUp : .wait(milliseconds: pause, offset: last)
    }
}
