import ArgumentParser

/// `takumi notebook …`
package struct NotebookCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "notebook", abstract: "Notebooks: JupyterLab on an instance of its own, with storage that stays.",
        discussion: """
            takumi notebook create mine --image python --instance m2.c2m4 --storage 20 --wait
            takumi notebook open mine

            What lies in /root/easymaker stays until the notebook is deleted. All else of it, such as what pip installs \
            into the base environment, is new at every start.

            takumi notebook stop mine
            takumi notebook resize mine --instance m2.c4m8
            takumi notebook start mine --wait
            """,
        groupedSubcommands: [
            .init(
                name: "Notebooks",
                subcommands: [
                    ListCommand<Notebooks>.self, NotebookCreate.self, NotebookShow.self, NotebookWait.self,
                    UpdateCommand<Notebooks>.self, NotebookDelete.self, EventsCommand<Notebooks>.self,
                ]),
            .init(name: "Work in it", subcommands: [NotebookOpen.self, NotebookLogs.self]),
            .init(
                name: "Turn on and off",
                subcommands: [
                    NotebookStop.self, NotebookStart.self, NotebookReboot.self, NotebookResize.self,
                    NotebookIdleStop.self,
                ]),
        ])

    package init() {}
}

struct NotebookShow: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show one notebook: its state, its storage, and where it is.", aliases: ["show"])

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        try await session.print(Notebooks.self, try await session.read(Notebooks.self, name))
    }
}

struct NotebookWait: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until a notebook is as it was asked to be, and say what it waits for.",
        discussion: "Ends with 0 where it is ACTIVE (HEALTHY) or STOPPED, with 1 otherwise.")

    @Argument(help: "Its name or id.")
    var name: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let notebook = NotebookView(try await session.find(Notebooks.self, name))
        let watch = NotebookWatch(session: session)
        try watch.end([try await watch.settled(notebook)], wanted: [.healthy, .stopped])
    }
}
