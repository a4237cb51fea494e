import ArgumentParser

struct NotebookResize: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize", abstract: "Change the instance type of a stopped notebook.",
        discussion: "To one of the same core type: a notebook with a CPU image stays without GPUs.")

    @Argument(help: "Its name or id.")
    var name: String

    @Option(help: "The new instance type, by name or id (see: takumi flavor list).")
    var instance: String

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func run(_ session: Session) async throws {
        let notebook = try await session.find(Notebooks.self, name)
        let flavors = try await session.api.get("/flavors")["flavorList"].array ?? []
        let flavor = try Catalog.flavor(instance, in: flavors)
        let reply = try await OptionNames.notebook.blaming {
            try await session.api.call(
                .PUT, "\(Notebooks.path)/\(Notebooks.id(notebook))/flavor", body: .fields(["flavorId": flavor["id"]]))
        }
        try await session.print(Notebooks.self, Notebooks.single(reply, else: notebook))
    }
}

/// After how long without use a notebook stops: minutes, or `never`.
enum IdleRule: Equatable, ExpressibleByArgument {
    case never
    case minutes(Int)

    static let range = 5...10_080

    init?(argument: String) {
        if argument.lowercased() == "never" {
            self = .never
        } else if let minutes = Int(argument) {
            self = .minutes(minutes)
        } else {
            return nil
        }
    }

    static func check(_ minutes: Int?) throws {
        guard let minutes, !range.contains(minutes) else { return }
        throw ValidationError(
            "--idle-stop \(minutes) is out of range; use \(range.lowerBound) to \(range.upperBound) minutes")
    }
}

struct NotebookIdleStop: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle-stop", abstract: "Say after how long without use a notebook stops by itself, or change it.",
        discussion: """
            takumi notebook idle-stop mine            what is set, and when it would stop
            takumi notebook idle-stop mine 60
            takumi notebook idle-stop mine never

            In use is a notebook with a busy kernel, with recent activity of a kernel or a terminal, or with a browser \
            connected to a kernel, unless --ignore-connections is given.
            """)

    @Argument(help: "Its name or id.")
    var name: String

    @Argument(help: ArgumentHelp("Minutes, 5 to 10080, or never.", valueName: "minutes"))
    var rule: IdleRule?

    @Flag(help: "A browser that is merely open is no use.")
    var ignoreConnections = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        if case .minutes(let minutes)? = rule {
            guard !IdleRule.range.contains(minutes) else { return }
            throw ValidationError("MINUTES \(minutes) is out of range; use 5 to 10080, or never")
        }
        if ignoreConnections {
            throw ValidationError("--ignore-connections is for a number of minutes; give it, or leave this out")
        }
    }

    func run(_ session: Session) async throws {
        var notebook = try await session.read(Notebooks.self, name)
        if let rule {
            var fields: [String: JSONValue] = ["idleStopMinutes": .null]
            if case .minutes(let minutes) = rule {
                fields["idleStopMinutes"] = .int(Int64(minutes))
                fields["idleStopIgnoresConnections"] = .bool(ignoreConnections)
            }
            let reply = try await OptionNames.notebook.blaming {
                try await session.api.call(
                    .PUT, "\(Notebooks.path)/\(Notebooks.id(notebook))/idle-stop", body: .object(fields))
            }
            notebook = Notebooks.single(reply, else: notebook)
        }
        switch session.format {
        case .json: session.printJSON(notebook)
        case .table: session.console.out(Notebooks.idleStop(notebook))
        }
    }
}
