import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

struct NotebookOpen: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Print the address of a notebook's JupyterLab, and open it in a browser.",
        discussion: """
            The address is https://HOST:PORT/notebook/PROJECT/ID/ on the origin of users' programs. It opens for members \
            of the project who are logged in; takumi login prints a link that logs in.

            VS Code, as an existing Jupyter server: the address and ?token=TOKEN, with one of takumi token create.
            """)

    @Argument(help: "Its name or id.")
    var name: String

    @Flag(help: "Open it in this machine's browser.")
    var browser = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let notebook = NotebookView(try await session.read(Notebooks.self, name))
        guard let url = notebook.url else {
            let start = notebook.state == .stopped ? "; takumi notebook start \(RunText.quoted(notebook.name))" : ""
            throw CommandFailure("notebook '\(notebook.name)' is \(notebook.told)\(start)")
        }
        switch session.format {
        case .json: session.printJSON(.object(["notebookUrl": .string(url)]))
        case .table: session.console.out(url)
        }
        guard browser else {
            return session.console.note("it opens for who is logged in; a link to log in: takumi login")
        }
        if !Browser.open(url) { session.console.note("no browser could be started here; open the address in yours") }
    }
}

enum Browser {
    #if os(Linux)
        private static let program = "xdg-open"
    #else
        private static let program = "open"
    #endif

    /// - Returns: false where there is none, or it says that it could not.
    static func open(_ url: String) -> Bool {
        let words: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup(url), nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        guard posix_spawnp(&process, program, nil, nil, words, environ) == 0 else { return false }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { return false }
        }
        return status == 0
    }
}
