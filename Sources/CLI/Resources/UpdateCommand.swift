import ArgumentParser

/// `takumi KIND update NAME|ID --name … --description … --tag …`
struct UpdateCommand<N: Noun>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "update", abstract: "Change the name, description or tags of one \(N.title).")
    }

    @Argument(help: "Its name or id.")
    var target: String

    @Option(help: "The new name.")
    var name: String?

    @Option(help: "The new description.")
    var description: String?

    @Option(help: ArgumentHelp("Set a tag.", valueName: "key=value"))
    var tag: [KeyValue] = []

    @Option(help: ArgumentHelp("Remove a tag.", valueName: "key"))
    var untag: [String] = []

    @OptionGroup(title: "Server and output") var client: ClientOptions

    func validate() throws {
        if name == nil, description == nil, tag.isEmpty, untag.isEmpty {
            throw ValidationError("nothing to change; use --name, --description, --tag or --untag")
        }
    }

    func run(_ session: Session) async throws {
        let item = try await session.find(N.self, target)
        let tags = TagChange.applied(to: TagChange.tags(of: item), setting: tag, removing: untag)
        let body = JSONValue.fields([
            N.singular + "Name": .string(name ?? N.name(item)),
            "description": .string(description ?? item["description"].string),
            "tagList": TagChange.wire(tags),
        ])
        let reply = try await session.api.call(.PUT, "\(N.path)/\(N.id(item))", body: body)
        try await session.print(N.self, N.single(reply, else: item))
    }
}
