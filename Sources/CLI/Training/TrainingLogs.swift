import ArgumentParser

struct TrainingLogs: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "logs", abstract: "Print a training's log.")

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup var log: LogOptions

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let view = TrainingView(try await session.find(Trainings.self, name))
        try await log.print(
            .training(view.id, session.api), nodes: view.nodes, of: "training '\(view.name)'", session)
    }
}

extension LogClient {
    static func training(_ id: String, _ api: API) -> LogClient {
        LogClient(api: api, path: "\(Trainings.path)/\(id)") { TrainingView($0[Trainings.singular]).isSettled }
    }
}
