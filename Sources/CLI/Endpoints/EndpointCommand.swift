import ArgumentParser

/// `takumi endpoint …`
package struct EndpointCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "endpoint", abstract: "Serve models: endpoints, their stages, and requests to them.",
        discussion: """
            takumi endpoint create iris --model iris --instance m2.c2m4
            takumi endpoint predict iris '{"instances": [[5.1, 3.5, 1.4, 0.2]]}'

            An endpoint is an address; a stage of it serves models there. Commands mean the default stage unless --stage \
            names another. A new version is tried on a further stage, and then becomes the default:

            takumi endpoint stage create iris next --model iris-2 --instance m2.c2m4
            takumi endpoint traffic iris --canary next=10
            takumi endpoint switch iris next --keep 60
            """,
        groupedSubcommands: [
            .init(
                name: "Endpoints",
                subcommands: [
                    ListCommand<Endpoints>.self, EndpointCreate.self, EndpointGet.self, EndpointWait.self,
                    UpdateCommand<Endpoints>.self, EndpointDelete.self, EventsCommand<Endpoints>.self,
                ]),
            .init(
                name: "Requests",
                subcommands: [
                    EndpointPredict.self, EndpointStatistics.self, EndpointLogs.self, EndpointRequests.self,
                    EndpointKey.self,
                ]),
            .init(
                name: "Stages",
                subcommands: [
                    StageCommand.self, ResourceCommand.self, EndpointTraffic.self, EndpointSwitch.self,
                    EndpointBack.self,
                ]),
        ])

    package init() {}
}
