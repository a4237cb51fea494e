import ArgumentParser

/// Waits until notebooks are as they were asked to be: how they are on stderr, each new cause once.
struct NotebookWatch {
    let session: Session

    /// A notebook once nothing of it is on its way any longer.
    func settled(_ notebook: NotebookView) async throws -> NotebookView {
        var view = notebook
        var said: String?
        var line = ProgressLine(width: session.console.noteWidth)
        let start = ContinuousClock.now
        defer { session.console.write(.error, line.clear()) }
        while !view.isSettled {
            if view.told != said {
                session.console.write(.error, line.clear())
                session.console.note("\(view.name): \(view.told)")
                said = view.told
            }
            let waited = Int((ContinuousClock.now - start).components.seconds)
            session.console.write(.error, line.draw("\(Format.state(view.code)) · \(Format.duration(waited))"))
            try await Task.sleep(for: .milliseconds(300))
            view = NotebookView(try await session.api.get("\(Notebooks.path)/\(view.id)")[Notebooks.singular])
        }
        return view
    }

    /// Prints what came of it.
    /// - Parameter wanted: what is to have come of it.
    /// - Throws: an `ExitCode` where one is not as it should be, after a word on why.
    func end(_ notebooks: [NotebookView], wanted: Set<NotebookState>) throws {
        try show(notebooks)
        let bad = notebooks.filter { notebook in !(notebook.state.map(wanted.contains) ?? false) }
        for notebook in bad {
            session.console.note("error: notebook '\(notebook.name)' is \(notebook.told)")
            session.console.note("see its log: takumi notebook logs \(RunText.quoted(notebook.name))")
        }
        if !bad.isEmpty { throw ExitCode(ExitStatus.failure) }
        guard session.format == .table else { return }
        for notebook in notebooks where notebook.state == .healthy {
            session.console.note("open it: takumi notebook open \(RunText.quoted(notebook.name))")
        }
    }

    /// One with its details, several as a list.
    func show(_ notebooks: [NotebookView]) throws {
        if let only = notebooks.first, notebooks.count == 1 {
            try session.print(only.json, details: Notebooks.details)
        } else {
            try session.print(notebooks.map(\.json), columns: Notebooks.columns, none: "")
        }
    }
}
