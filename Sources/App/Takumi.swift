import Agent
import ArgumentParser
import CLI
import Foundation
import ModelServer
import ModelServerGRPC

/// The one program: the server, what runs beside a workload, and the command line.
@main
struct Takumi: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "takumi",
        abstract: "A machine-learning platform in one binary.",
        discussion: """
            Start the server, then train something:

              takumi serve
              takumi run train.py --image pytorch --instance m2.c2m4 --data train=./data --hp epochs=10

            Every command that prints resources takes --output json.
            """,
        version: version,
        groupedSubcommands: [
            .init(
                name: "Server",
                subcommands: [
                    ServeCommand.self, ProjectCommand.self, UserCommand.self, TokenCommand.self, LoginCommand.self,
                ]),
            .init(
                name: "Work",
                subcommands: [
                    RunCommand.self, NotebookCommand.self, ExperimentCommand.self, TrainingCommand.self,
                    TuningCommand.self,
                    TemplateCommand.self, ModelCommand.self, EndpointCommand.self, StorageCommand.self,
                ]),
            .init(
                name: "Catalog", subcommands: [ImageCommand.self, FlavorCommand.self, AlgorithmCommand.self]),
        ])

    static func main() async {
        // The engine starts one of these per task: nothing that it does not need may cost it time.
        if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "agent" {
            await AgentProcess.run(folder: CommandLine.arguments[2])
            return
        }
        if CommandLine.arguments.count > 2, CommandLine.arguments[1] == "model-server" {
            Foundation.exit(
                await ModelServerCommand.run(
                    arguments: Array(CommandLine.arguments.dropFirst(2)), fronts: [GRPCFront()]))
        }
        await main(nil)
    }
}
