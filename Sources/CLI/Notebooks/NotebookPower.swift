import ArgumentParser

/// Stops, starts and reboots notebooks: several at once, each looked up before the first is asked.
struct NotebookPower {
    /// The route's last part, and the word for it: `stop`.
    let verb: String
    let session: Session

    /// - Parameter warning: what is asked before it is done; nil where nothing can be lost.
    func ask(_ names: [String], wait: Bool, warning: ((_ what: String) -> String)?, yes: Bool) async throws {
        var notebooks: [NotebookView] = []
        for name in names { notebooks.append(NotebookView(try await session.find(Notebooks.self, name))) }
        if let warning {
            let what = notebooks.count == 1 ? Notebooks.label(notebooks[0].json) : "\(notebooks.count) notebooks"
            try session.console.confirm(warning(what), assumed: yes)
        }
        for (index, notebook) in notebooks.enumerated() {
            let reply = try await session.api.call(.PUT, "\(Notebooks.path)/\(notebook.id)/\(verb)")
            notebooks[index] = NotebookView(Notebooks.single(reply, else: notebook.json))
            session.console.note("asked to \(verb) \(Notebooks.label(notebook.json))")
        }
        let watch = NotebookWatch(session: session)
        guard wait else {
            if session.format == .json { try watch.show(notebooks) }
            return
        }
        for (index, notebook) in notebooks.enumerated() { notebooks[index] = try await watch.settled(notebook) }
        try watch.end(notebooks, wanted: [verb == "stop" ? .stopped : .healthy])
    }
}

struct NotebookStop: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop notebooks. This cannot be cancelled.",
        discussion: """
            What runs in them ends. /root/easymaker stays; what lies elsewhere, such as packages of the base environment, \
            is thrown away.
            """)

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @Flag(help: "Wait until they are STOPPED.")
    var wait = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        try await NotebookPower(verb: "stop", session: session).ask(
            names, wait: wait, warning: { "Stop \($0)? What runs there ends." }, yes: yes)
    }
}

struct NotebookStart: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start notebooks that are stopped, or whose creation or start has failed.")

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(help: "Wait until JupyterLab answers, and say what they wait for.")
    var wait = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        try await NotebookPower(verb: "start", session: session).ask(names, wait: wait, warning: nil, yes: true)
    }
}

struct NotebookReboot: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "reboot", abstract: "Stop notebooks and start them again. This cannot be cancelled.",
        discussion: """
            What runs in them ends. /root/easymaker stays; the base environment is new. An old notebook is a notebook of \
            this server's version afterwards.
            """)

    @Argument(help: "Names or ids.")
    var names: [String]

    @Flag(name: .shortAndLong, help: Console.yesHelp)
    var yes = false

    @Flag(help: "Wait until JupyterLab answers again.")
    var wait = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        try await NotebookPower(verb: "reboot", session: session).ask(
            names, wait: wait, warning: { "Reboot \($0)? What runs there ends." }, yes: yes)
    }
}
