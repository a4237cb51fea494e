import ArgumentParser
import Resource

struct NotebookCreate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a notebook.",
        discussion: """
            takumi notebook create mine --image python --instance m2.c2m4 --storage 20 --wait
            takumi notebook create team --image pytorch --instance m2.c4m8 --storage 100 \\
                --nas shared=nas://shared:/team --idle-stop 60

            Image and instance type are those of takumi image list --type notebook and takumi flavor list. The sizes of its \
            storage cannot be changed later; the instance type can.
            """)

    @Argument(help: "Its name, of at most 50 characters.")
    var name: String

    @Option(help: "The image, by alias, name or id; python, pytorch and tensorflow will do.")
    var image: String

    @Option(help: "The instance type, by name or id (see: takumi flavor list).")
    var instance: String

    @Option(help: ArgumentHelp("The size of /root/easymaker, which stays until it is deleted.", valueName: "GB"))
    var storage: Int

    @Option(
        help: ArgumentHelp(
            "The size of what is new at every start: the base environment, and what is installed there. (default: 20)",
            valueName: "GB"))
    var bootStorage: Int?

    @Option(
        help: ArgumentHelp(
            "A directory of a NAS as /root/easymaker/DIR. Can be repeated.", valueName: "dir=nas://ID:/path"))
    var nas: [KeyValue] = []

    @Option(
        help: ArgumentHelp(
            "Stop it when nobody has used it for so long. (default: never)", valueName: "minutes"))
    var idleStop: Int?

    @Flag(help: "For --idle-stop: a browser that is merely open is no use.")
    var ignoreConnections = false

    @Option(help: ArgumentHelp("A tag. Can be repeated.", valueName: "key=value"))
    var tag: [KeyValue] = []

    @Option(help: "What it is about.")
    var description: String?

    @Flag(help: "Wait until JupyterLab answers, and say what it waits for.")
    var wait = false

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        var problems = Validator()
        problems.name(name, "NAME")
        problems.length(description, "--description", limit: Limits.description)
        problems.count(tag.count, "--tag", limit: Limits.tags)
        problems.count(nas.count, "--nas", limit: 10)
        for entry in nas {
            problems.require(
                entry.value.hasPrefix("nas://"), "--nas",
                "\(entry.key)=\(entry.value.excerpt) has no place; write --nas "
                    + "\(entry.key)=nas://NAS:/PATH")
        }
        if let problem = problems.problems.first { throw ValidationError(problem.line) }
        try Self.check(storage, 1...10_000, "--storage", "GB")
        try Self.check(bootStorage, 1...10_000, "--boot-storage", "GB")
        try IdleRule.check(idleStop)
        if ignoreConnections, idleStop == nil {
            throw ValidationError("--ignore-connections is for --idle-stop; add --idle-stop 60, or leave it out")
        }
    }

    func run(_ session: Session) async throws {
        let (image, flavor) = try await choose(session)
        let body = JSONValue.fields([
            "notebookName": .string(name), "imageId": image["imageId"], "flavorId": flavor["id"],
            "dataStorageSize": .int(storage), "bootStorageSize": .int(bootStorage),
            "description": .string(description), "idleStopMinutes": .int(idleStop),
            "idleStopIgnoresConnections": ignoreConnections ? .bool(true) : nil,
            "nasList": .array(
                nas.map { .object(["mountDirName": .string($0.key), "nasPath": .string($0.value)]) }),
            "tagList": TagChange.wire(tag),
        ])
        let reply = try await OptionNames.notebook.blaming {
            try await session.api.call(.POST, Notebooks.path, body: body)
        }
        let notebook = NotebookView(reply[Notebooks.singular])
        let watch = NotebookWatch(session: session)
        guard wait else { return try watch.show([notebook]) }
        session.console.note("started \(Notebooks.label(notebook.json))")
        try watch.end([try await watch.settled(notebook)], wanted: [.healthy])
    }

    /// - Throws: one `CommandFailure` with all that is wrong with either.
    private func choose(_ session: Session) async throws -> (image: JSONValue, flavor: JSONValue) {
        let images = try await session.api.get("/images", [("groupTypeCodeList", "NOTEBOOK")])["imageList"].array ?? []
        let flavors = try await session.api.get("/flavors")["flavorList"].array ?? []
        var problems: [String] = []
        var (image, flavor) = (JSONValue.null, JSONValue.null)
        do throws(CommandFailure) {
            image = try Catalog.notebookImage(self.image, in: images)
            problems += [Catalog.refusal(image, option: "--image", name: image["imageName"].text)].compactMap { $0 }
        } catch {
            problems += error.lines
        }
        do throws(CommandFailure) {
            flavor = try Catalog.flavor(instance, in: flavors)
            problems += [Catalog.refusal(flavor, option: "--instance", name: flavor["name"].text)].compactMap { $0 }
        } catch {
            problems += error.lines
        }
        if problems.isEmpty { problems += [Catalog.misfit(image, flavor)].compactMap { $0 } }
        guard problems.isEmpty else { throw CommandFailure(problems) }
        return (image, flavor)
    }
}

extension OptionNames {
    static let notebook = OptionNames([
        "notebookName": "NAME", "description": "--description", "imageId": "--image", "flavorId": "--instance",
        "bootStorageSize": "--boot-storage", "dataStorageSize": "--storage", "nasList": "--nas",
        "idleStopMinutes": "--idle-stop", "idleStopIgnoresConnections": "--ignore-connections", "tagList": "--tag",
    ])
}
