import ArgumentParser

struct TrainingWait: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until a training has ended, and end with its exit status.",
        discussion: "0 where it is COMPLETE, the script's own exit status where that failed, 1 otherwise.")

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        var view = TrainingView(try await session.find(Trainings.self, name))
        var line = ProgressLine(width: session.console.noteWidth)
        let start = ContinuousClock.now
        while !view.isSettled {
            let waited = Int((ContinuousClock.now - start).components.seconds)
            session.console.write(.error, line.draw(RunText.progress(view, waited: waited)))
            try await Task.sleep(for: .seconds(1))
            view = TrainingView(try await session.api.get("\(Trainings.path)/\(view.id)")["training"])
        }
        session.console.write(.error, line.clear())
        try session.print(view.json, details: Trainings.details)
        if view.exitStatus != 0 { throw ExitCode(view.exitStatus) }
    }
}
