/// The header lines of a message that are passed on as they are: ranges of the head, neighbours as one.
struct KeptLines {
    private(set) var runs: [Range<Int>] = []

    /// Forgets the lines but keeps the memory.
    mutating func clear() { runs.removeAll(keepingCapacity: true) }

    /// - Parameter line: Without its end.
    mutating func keep(_ line: Range<Int>) {
        let upper = line.upperBound + 2
        if let last = runs.indices.last, runs[last].upperBound == line.lowerBound {
            runs[last] = runs[last].lowerBound..<upper
        } else {
            runs.append(line.lowerBound..<upper)
        }
    }

    /// Takes out what a Connection header names: that is for one connection only. `Host` stays, whatever it says.
    mutating func drop(_ names: [Range<Int>], _ bytes: UnsafeRawBufferPointer) {
        let before = runs
        clear()
        for run in before {
            var lines = HeadLines(UnsafeRawBufferPointer(rebasing: bytes[run]))
            while let line = lines.next() {
                let line = line.lowerBound + run.lowerBound..<line.upperBound + run.lowerBound
                let name = line.lowerBound..<(bytes[line].firstIndex(of: Bytes.colon) ?? line.upperBound)
                let isNamed = names.contains { bytes.isSameToken($0, name) }
                if !isNamed || bytes.isToken(name, "host") { keep(line) }
            }
        }
    }
}

/// What a message says of its connection.
struct ConnectionOptions {
    var closes = false
    var keepsAlive = false
    var upgrades = false
    /// Headers of this connection only.
    var named: [Range<Int>] = []

    mutating func read(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) {
        bytes.forEachElement(of: value) { element in
            if bytes.isToken(element, "close") {
                closes = true
            } else if bytes.isToken(element, "keep-alive") {
                keepsAlive = true
            } else if bytes.isToken(element, "upgrade") {
                upgrades = true
            } else {
                named.append(element)
            }
        }
    }

    func lasts(isHTTP10: Bool) -> Bool { !closes && (!isHTTP10 || keepsAlive) }
}
