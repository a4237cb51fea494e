import ArgumentParser

/// Watches a tuning until it has ended: how it is on stderr, what it came to on stdout.
struct TuningWatch {
    let session: Session

    /// A tuning as it is, or as it ends.
    func show(_ item: JSONValue, wait: Bool) async throws {
        guard wait else { return try session.print(item, details: Tunings.details) }
        session.console.note("started \(Tunings.label(item))")
        try await follow(TuningView(item))
    }

    /// - Throws: an `ExitCode` where it ends other than well.
    func follow(_ tuning: TuningView) async throws {
        let view = try await ended(tuning)
        try session.print(view.json, details: Tunings.details)
        if view.exitStatus != 0 { throw ExitCode(view.exitStatus) }
    }

    private func ended(_ tuning: TuningView) async throws -> TuningView {
        var view = tuning
        var line = ProgressLine(width: session.console.noteWidth)
        var said = ""
        let start = ContinuousClock.now
        while true {
            let news = Self.news(view)
            if news != said {
                session.console.write(.error, line.clear())
                session.console.note(news)
                said = news
            }
            guard !view.isSettled else { break }
            let waited = Int((ContinuousClock.now - start).components.seconds)
            session.console.write(.error, line.draw(Self.progress(view, waited: waited)))
            try await Task.sleep(for: .seconds(1))
            view = TuningView(try await session.api.get("\(Tunings.path)/\(view.id)")[Tunings.singular])
        }
        session.console.write(.error, line.clear())
        return view
    }

    /// What is said whenever it has changed: `RUNNING · 5 of 20 trials ended: 4 succeeded, 1 failed, 2 running · best:
    /// accuracy = 0.93 in trial-0004`
    static func news(_ view: TuningView) -> String {
        let best = view.bestText
        return [Tunings.state(view.json), view.counts, best.isEmpty ? nil : "best: \(best)"].compactMap { $0 }
            .joined(separator: " · ")
    }

    /// What is drawn below it meanwhile.
    static func progress(_ view: TuningView, waited: Int) -> String {
        let elapsed = Format.duration(max(view.elapsed ?? 0, waited))
        return [Tunings.state(view.json), elapsed, view.reason].compactMap { $0 }.joined(separator: " · ")
    }
}
