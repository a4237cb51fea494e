import ArgumentParser

/// `takumi algorithm …`
package struct AlgorithmCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "algorithm", abstract: "The algorithms that the platform provides.",
        subcommands: [AlgorithmList.self])

    package init() {}
}

struct AlgorithmList: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the provided algorithms.")

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let algorithms = try await session.api.get("/algorithms")["algorithmList"].array ?? []
        try session.print(
            algorithms, columns: columns, none: "no algorithms are provided; bring your own with --source")
    }

    private var columns: [Column] {
        [
            Column("NAME", isFlexible: true) { $0["algorithmName"].text },
            Column("HYPERPARAMETERS", isFlexible: true) { algorithm in
                (algorithm["hyperparameterSpecList"].array ?? []).map { $0["hyperparameterName"].text }
                    .joined(separator: ", ")
            },
            Column("ID") { $0["algorithmId"].text },
        ]
    }
}
