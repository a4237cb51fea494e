/// Copies many files, a few at a time, and shows how far it is.
struct Transfer<Item: Sendable>: Sendable {
    var title: String
    var items: [Item]
    var bytes: Int
    let console: Console

    /// More at a time does not make one disk faster, and small files spend their time waiting for answers.
    private static var parallel: Int { 6 }

    /// - Parameter copy: copies one, and returns its bytes.
    /// - Returns: the bytes of all.
    /// - Throws: the first error; what was not begun by then is not begun.
    @discardableResult
    func run(_ copy: @escaping @Sendable (Item) async throws -> Int) async throws -> Int {
        var line = ProgressLine(width: console.noteWidth)
        var drawn = ContinuousClock.now - .seconds(1)
        var done = (files: 0, bytes: 0)
        defer { console.write(.error, line.clear()) }
        try await withThrowingTaskGroup(of: Int.self) { group in
            var rest = items.makeIterator()
            for _ in 0..<Self.parallel {
                guard let item = rest.next() else { break }
                group.addTask { try await Self.persistently(item, copy) }
            }
            while let copied = try await group.next() {
                done = (done.files + 1, done.bytes + copied)
                if let item = rest.next() { group.addTask { try await Self.persistently(item, copy) } }
                guard ContinuousClock.now - drawn > .milliseconds(100) else { continue }
                drawn = .now
                console.write(.error, line.draw(text(done)))
            }
        }
        return done.bytes
    }

    private func text(_ done: (files: Int, bytes: Int)) -> String {
        "\(title): \(done.files) of \(Format.count(items.count, "file")), \(Format.bytes(done.bytes)) of \(Format.bytes(bytes))"
    }

    /// A connection that broke, or a server that is being restarted, is no reason to begin everything again.
    private static func persistently(
        _ item: Item, _ copy: @escaping @Sendable (Item) async throws -> Int
    ) async throws -> Int {
        for attempt in 1...3 {
            do {
                return try await copy(item)
            } catch  where isTransient(error) {
                try await Task.sleep(for: .milliseconds(250 << attempt))
            }
        }
        return try await copy(item)
    }

    private static func isTransient(_ error: any Error) -> Bool {
        if let refusal = error as? StoreRefusal { return refusal.isTransient }
        return (error as? CommandFailure)?.status == ExitStatus.unavailable
    }
}
