import ArgumentParser

struct NotebookLogs: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what a notebook has printed since it was started last.",
        discussion: """
            How its start went, scripts of /root/easymaker/cont-init.d, and what JupyterLab says. What a script printed \
            is in SCRIPT.output beside it.
            """)

    @Argument(help: "Its name or id.")
    var name: String

    @Option(help: "Only the last so many lines.")
    var tail = 1000

    @Flag(name: .shortAndLong, help: "Show when each line was written, in UTC.")
    var timestamps = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws { try Self.check(tail, 1...10_000, "--tail", "lines") }

    func run(_ session: Session) async throws {
        let notebook = try await session.find(Notebooks.self, name)
        let log = try await session.text(
            "\(Notebooks.path)/\(Notebooks.id(notebook))/logs", [("tail", String(tail))])
        if log.isEmpty { session.console.note("nothing has been printed") }
        for line in log.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let record = LogRecord(plain: line, node: 0)
            switch session.format {
            case .table: session.console.out(record.line(ofNodes: 1, withTime: timestamps))
            case .json:
                session.console.out(
                    JSONText.line(.object(["time": .string(record.time), "text": .string(record.text)])))
            }
        }
    }
}
