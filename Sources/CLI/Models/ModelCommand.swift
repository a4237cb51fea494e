import ArgumentParser

/// `takumi model …`
package struct ModelCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Models: what trainings have made, ready to be served.",
        discussion: """
            takumi model create iris --format sklearn --path ./iris.joblib
            takumi endpoint create iris --model iris --instance m2.c2m4
            """,
        subcommands: [
            ListCommand<Models>.self, ModelCreate.self, GetCommand<Models>.self, UpdateCommand<Models>.self,
            DeleteCommand<Models>.self, EventsCommand<Models>.self,
        ])

    package init() {}
}
